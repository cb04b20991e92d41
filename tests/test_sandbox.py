"""The sandbox: what becomes of a program is told apart, and every program starts fresh."""

import threading
import time

import pytest

from mathjax.sandbox import LEVELS, Limits, Sandbox

STRONG = ("namespaces", "landlock")


@pytest.fixture(scope="module")
def shared():
    """Level to a sandbox of two workers, made when it is asked for; a level that is not offered skips the test."""
    made = {}

    def get(level):
        if level not in made:
            try:
                made[level] = Sandbox(2, Limits(wall_seconds=2, memory_bytes=2**29), level=level)
            except RuntimeError as error:
                made[level] = str(error)
        if isinstance(made[level], str):
            pytest.skip(made[level])
        return made[level]

    yield get
    for sandbox in made.values():
        if not isinstance(sandbox, str):
            sandbox.close()


@pytest.fixture(params=LEVELS)
def sandbox(request, shared):
    return shared(request.param)


@pytest.fixture(params=STRONG)
def strong(request, shared):
    return shared(request.param)


@pytest.fixture
def best(shared):
    """A sandbox of the strongest level that this machine offers."""
    for level in STRONG:
        try:
            return shared(level)
        except pytest.skip.Exception:
            continue
    pytest.skip("this machine offers neither namespaces nor Landlock")


def one(sandbox, program):
    [outcome] = sandbox.run([program])
    return outcome


STATUSES = [
    ("print(1 + 1)", "ok", "2\n", ""),
    ("print('half'); raise SystemExit", "ok", "half\n", ""),
    ("import sys; print('zero'); sys.exit(0)", "ok", "zero\n", ""),
    ("import sys; print('three'); sys.exit(3)", "error", "three\n", "exit status 3"),
    ("import sys; sys.exit('no answer')", "error", "", "no answer"),
    ("print('before'); 1 / 0", "error", "before\n", "ZeroDivisionError: division by zero"),
    ("1 +", "error", "", "SyntaxError: invalid syntax"),
    ("raise ValueError('a\\nb')", "error", "", "ValueError: a b"),
    ("while True: pass", "timeout", "", "ran longer than 2 s"),
    ("x = bytearray(2**31)", "memory", "", "used"),
    ("x = []\nwhile True: x.append(' ' * 10**6)", "memory", "", "used"),
    ("while True: print('y' * 1000)", "output", "y" * 1000, "printed more than 1,048,576 bytes"),
    ("import sys\nwhile True: sys.stderr.write('y' * 1000)", "output", "", "printed more than"),
    ("import ctypes; ctypes.string_at(0)", "killed", "", "died of SIGSEGV"),
    ("print('\0')", "refused", "", "a NUL at character 7"),
    ("'\ud800'", "refused", "", "no UTF-8"),
    ("#" * 300_000, "refused", "", "300,000 bytes long; at most 262,144 are run"),
    ("import os; os.write(1, b'\\xff1')", "ok", "\N{REPLACEMENT CHARACTER}1", ""),
]


@pytest.mark.parametrize(("program", "status", "printed", "error"), STATUSES, ids=[case[0][:40] for case in STATUSES])
def test_what_became_of_a_program_is_told_apart(best, program, status, printed, error):
    outcome = one(best, program)
    assert (outcome.status, outcome.level) == (status, best.level), outcome.error
    assert outcome.printed.startswith(printed) and error in outcome.error
    assert len(outcome.printed) <= 2**20
    if status == "error":
        assert outcome.error == error


def test_processor_time_is_limited_apart_from_the_clock():
    with Sandbox(1, Limits(wall_seconds=20, cpu_seconds=1), minimum="rlimits") as sandbox:
        outcome = one(sandbox, "while True: pass")
    assert (outcome.status, outcome.error) == ("timeout", "used more than 1 s of CPU time")
    assert outcome.seconds < 15


def test_outcomes_come_in_the_order_of_the_programs(sandbox):
    programs = [f"import time; time.sleep({0.01 * (i % 3)}); print({i})" for i in range(20)]
    assert [outcome.printed for outcome in sandbox.run(programs)] == [f"{i}\n" for i in range(20)]


def test_a_stream_takes_few_programs_more_than_it_gives_outcomes(best):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield f"print({taken})"

    stream = best.stream(endless())
    assert [next(stream).printed for _ in range(5)] == [f"{i}\n" for i in range(1, 6)]
    stream.close()
    assert taken <= 5 + 8


def test_a_stream_within_a_stream_does_not_wait_for_itself(best):
    pairs = [(a.printed, b.printed) for a in best.stream(["print(1)"] * 12) for b in best.stream(["print(2)"] * 3)]
    assert pairs == [("1\n", "2\n")] * 36


def test_threads_share_a_sandbox(best):
    found = {}

    def work(name):
        found[name] = [outcome.printed for outcome in best.run([f"print('{name}', {i})" for i in range(30)])]

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {name: [f"{name} {i}\n" for i in range(30)] for name in "abc"}


def test_a_sleeper_does_not_hold_up_the_others(best):
    begun = time.monotonic()
    outcomes = best.run(["import time; time.sleep(1.5)"] + ["import time; time.sleep(0.1)"] * 10)
    assert {outcome.status for outcome in outcomes} == {"ok"}
    assert time.monotonic() - begun < 2.4


BENIGN = [
    ("print(__name__); exec('if __name__ == \"__main__\": print(1)')", "__main__\n1\n"),
    ("import sys; print(sys.modules['__main__'].__dict__ is globals())", "True\n"),
    ("from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 1\nprint(A())", "A(x=1)\n"),
    ("import pickle\nclass A: x = 1\nprint(pickle.loads(pickle.dumps(A())).x)", "1\n"),
    ("def f(n): return n and n + f(n - 1)\nprint(f(500))", "125250\n"),
    ("x = 2\nprint([x * y for y in range(3)], globals()['x'])", "[0, 2, 4] 2\n"),
    ("print('é √2 数 \N{GRINNING FACE}')", "é √2 数 \N{GRINNING FACE}\n"),
    ("try: input()\nexcept EOFError: print('no input')", "no input\n"),
    ("import sys; print(repr(sys.stdin.read()), sys.argv)", "'' ['']\n"),
    ("import threading\nt = threading.Timer(0.05, print, ['later'])\nt.start()", "later\n"),
    ("import atexit; atexit.register(print, 'last'); print('first')", "first\nlast\n"),
    ("import asyncio\nasync def f(): return 3\nprint(asyncio.run(f()))", "3\n"),
    ("print('a', end=''); exit()", "a"),
    ("import sympy as s; x = s.symbols('x'); print(s.solve(x**2 - 2, x))", "[-sqrt(2), sqrt(2)]\n"),
    ("import numpy as np; print(np.linalg.det(np.eye(3)) + np.arange(3).sum())", "4.0\n"),
    ("from decimal import *; getcontext().prec = 30; print(Decimal(1) / 3)", "0." + "3" * 30 + "\n"),
    ("import statistics, fractions; print(statistics.mean([1, 2]), fractions.Fraction('1/3'))", "1.5 1/3\n"),
    ("import signal\nsignal.signal(14, lambda *a: print('rang'))\nsignal.alarm(1)\nsignal.pause()", "rang\n"),
    ("from concurrent.futures import ThreadPoolExecutor as T\nprint(list(T(4).map(abs, [-1, -2])))", "[1, 2]\n"),
    ("import random; random.seed(1); print(random.randint(0, 99))", "17\n"),
    ("import gc, sys; print(gc.isenabled(), sys.getrecursionlimit())", "True 1000\n"),
]


@pytest.mark.parametrize(("program", "printed"), BENIGN, ids=[case[0][:40] for case in BENIGN])
def test_a_harmless_program_runs_as_in_an_interpreter_of_its_own(strong, program, printed):
    outcome = one(strong, program)
    assert (outcome.status, outcome.error, outcome.printed) == ("ok", "", printed)


def test_with_namespaces_a_program_may_use_processes(shared):
    program = "import multiprocessing as m\nwith m.Pool(2) as pool: print(pool.map(abs, [-1, -2]))"
    assert one(shared("namespaces"), program).printed == "[1, 2]\n"


def test_memory_of_all_processes_of_a_program_counts_together(shared):
    program = "import os, time\nfor _ in range(3): os.fork()\nx = b'x' * 2**26\ntime.sleep(9)"
    level = shared("namespaces").level
    with Sandbox(1, Limits(memory_bytes=2**28, wall_seconds=8), level=level) as sandbox:
        assert one(sandbox, program).status == "memory"


def test_a_program_writes_into_a_folder_that_disappears(strong):
    program = "import os; print(os.listdir()); open('a', 'w').write('x'); print(open('a').read())"
    for outcome in strong.run([program] * 6):
        assert (outcome.status, outcome.printed) == ("ok", "[]\nx\n")


def test_a_program_sees_no_environment_and_no_home(strong, monkeypatch):
    monkeypatch.setenv("MATHJAX_SECRET", "secret")
    program = "import os; print(dict(os.environ)); os.listdir(os.path.expanduser('~'))"
    outcome = one(strong, program)
    assert (outcome.status, outcome.printed) == ("error", "{}\n")


def test_with_namespaces_a_program_is_alone(shared):
    program = "import os; print(os.getpid(), os.getppid(), os.listdir('/proc'), os.path.exists('/etc/passwd'))"
    assert one(shared("namespaces"), program).printed == "1 0 [] False\n"


def test_the_same_program_prints_the_same(best):
    program = "import random, numpy as np; print(random.random(), np.random.rand(), set('abcdef'))"
    assert len({outcome.printed for outcome in best.run([program] * 6)}) == 1


def test_a_file_may_not_outgrow_its_limit(strong):
    assert "Error" in one(strong, "open('a', 'wb').write(bytes(2**24))").error
