"""The sandbox and its host: levels, and that no process outlives its use, whatever becomes of the caller."""

import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest

from mathjax.sandbox import LEVELS, Limits, Sandbox, worker

CHECKOUT = pathlib.Path(__file__).parents[1]


def offered():
    """The levels of this machine, and for the others what is missing."""
    found, missing = [], {}
    for level in LEVELS:
        try:
            with Sandbox(1, level=level):
                found.append(level)
        except RuntimeError as error:
            missing[level] = str(error)
    return found, missing


OFFERED, MISSING = offered()


@pytest.fixture(params=LEVELS)
def level(request):
    if request.param not in OFFERED:
        pytest.skip(MISSING[request.param])
    return request.param


def parents():
    """Process to its parent, of those that have not ended."""
    found = {}
    for file in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            found[int(file.parent.name)] = int(fields[1])
    return found


def descendants(pid):
    family, known = {pid}, parents()
    while grown := {child for child, parent in known.items() if parent in family} - family:
        family |= grown
    return family - {pid}


def eventually(fact, seconds=10):
    end = time.monotonic() + seconds
    while not fact() and time.monotonic() < end:
        time.sleep(0.02)
    return fact()


def test_a_worker_that_dies_is_replaced_and_costs_one_program(level):
    with Sandbox(1, level=level) as sandbox:
        threading.Timer(0.5, lambda: sandbox._places[0]["light"].process.kill()).start()
        outcomes = sandbox.run(["print(1)", "import time; time.sleep(3)", "print(3)"])
    assert [outcome.status for outcome in outcomes] == ["ok", "killed", "ok"]
    assert outcomes[1].error.startswith("its worker died")


def test_closing_ends_everything_and_may_be_done_twice(level):
    before = descendants(os.getpid())
    other = Sandbox(2, level=level)
    assert other.run(["print(1)"] * 4) and len(descendants(os.getpid())) > len(before)
    other.close()
    other.close()
    assert eventually(lambda: descendants(os.getpid()) == before)
    with pytest.raises(RuntimeError, match="the sandbox is closed"):
        other.run(["print(1)"])


def test_closing_does_not_wait_for_a_program(level):
    other = Sandbox(1, Limits(wall_seconds=60), level=level)
    stream = other.stream(["print(1)", "import time; time.sleep(50)", "print(2)"])
    begun = time.monotonic()
    threading.Timer(0.5, other.close).start()
    with pytest.raises(RuntimeError, match="closed"):
        list(stream)
    assert time.monotonic() - begun < 10


def caller(program, **options):
    """A process that runs a program of ours, with the library in reach."""
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        start_new_session=True,
        **options,
    )


WAITS = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started with it ignored
from mathjax.sandbox import Sandbox, Limits
with Sandbox(2, Limits(wall_seconds=60), level={level!r}) as sandbox:
    sandbox.run(["print(1)"] * 4)
    print("ready", flush=True)
    sandbox.run(["import time; time.sleep(50)"] * 2)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_nothing_survives_the_caller(level, how, tmp_path):
    with caller(WAITS.format(level=level), env=os.environ | {"TMPDIR": str(tmp_path)}) as process:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        assert eventually(lambda: len(descendants(process.pid)) >= 4)
        left = descendants(process.pid)
        process.send_signal(how)
        process.communicate(timeout=20)
        assert process.returncode != 0
    assert eventually(lambda: not left & set(parents()))


def test_a_sandbox_that_nobody_closes_does_not_keep_the_caller(level):
    process = caller(f"from mathjax.sandbox import Sandbox\nprint(Sandbox(1, level={level!r}).run(['print(1)']))")
    assert "printed='1" in process.communicate(timeout=20)[0]


def test_the_level_is_the_strongest_that_is_offered():
    if not OFFERED[:1] or OFFERED[0] == "rlimits":
        pytest.skip(f"this machine isolates nothing: {MISSING}")
    with Sandbox(1, minimum="seccomp") as sandbox:
        assert sandbox.level == OFFERED[0]
        assert sandbox.run(["print(1)"])[0].level == OFFERED[0]


def test_a_machine_that_offers_too_little_is_refused_with_what_it_lacks(monkeypatch):
    broken = "import os, collections\nos.uname = lambda: collections.namedtuple('U', 'machine')('vax')\n"
    monkeypatch.setattr(worker, "_START", broken + worker._START)
    with pytest.raises(RuntimeError, match="does not offer") as refused:
        Sandbox(1, minimum="seccomp")
    for word in ("namespaces: ", "landlock: ", "seccomp: ", "vax", "minimum="):
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(level="docker"), "level is 'docker'; wanted one of namespaces, landlock, seccomp, rlimits"),
        (dict(minimum="none"), "minimum is 'none'"),
        (dict(workers=0), "workers is 0; wanted at least 1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Sandbox(**wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(wall_seconds=0), "limits.wall_seconds is 0; wanted at least 0.01"),
        (dict(wall_seconds=float("inf")), "and finite"),
        (dict(memory_bytes=2.5), "limits.memory_bytes is 2.5; wanted int"),
        (dict(processes=True), "limits.processes is True; wanted int"),
        (dict(output_bytes=0), "limits.output_bytes is 0; wanted at least 1"),
    ],
)
def test_an_impossible_limit_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Limits(**wrong)


def test_the_package_is_cheap_to_import():
    program = (
        "import sys, mathjax.sandbox; print(sorted({'numpy', 'sympy', 'jax', 'multiprocessing'} & set(sys.modules)))"
    )
    assert caller(program).communicate(timeout=20)[0] == "[]\n"


AS_NOBODY = """
import json, os, sys
from mathjax.sandbox import Limits, Sandbox, kernel
closed, inner = {closed!r}, {inner!r}
if closed:  # in a view of our own, the folder around the interpreter holds nothing else and is open
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount(inner, "/mnt", None, kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("none", closed, "tmpfs", 0, "mode=0755")
    os.makedirs(inner, exist_ok=True)
    kernel.mount("/mnt", inner, None, kernel.MS_BIND | kernel.MS_REC)
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
try:
    with Sandbox(2, Limits(wall_seconds=3), level={level!r}) as sandbox:
        outcomes = sandbox.run({programs!r})
        print(json.dumps([[o.status, o.printed.strip(), o.error, o.level] for o in outcomes]))
except RuntimeError as error:
    print(json.dumps(str(error)))
"""
UNPRIVILEGED = [
    ("import os; print(len(os.listdir()))", "ok", "0"),
    ("open('a', 'w').write('x'); print(open('a').read())", "ok", "x"),
    ("import sympy; print(sympy.factor('x**2 - 1'))", "ok", "(x - 1)*(x + 1)"),
    ("print(open('/etc/passwd').read())", "error", ""),
    ("import os; print(os.listdir('/home'))", "error", ""),
    ("import os; os.setuid(0); print('root')", "error", ""),
    ("import socket; socket.socket(); print('socket')", "error", ""),
    ("import os; os.execv('/bin/sh', ['sh']); print('shell')", "error", ""),
    ("x = bytearray(2**31)", "memory", ""),
    ("while True: pass", "timeout", ""),
    ("print(6 * 7)", "ok", "42"),
]


@pytest.mark.skipif(os.geteuid() != 0, reason="what is tested without root anyway")
@pytest.mark.parametrize("level", ["namespaces", "landlock"])
def test_it_needs_no_root(level):
    inner = pathlib.Path(sys.base_prefix).resolve()
    closed = [folder for folder in reversed(inner.parents) if not folder.stat().st_mode & stat.S_IXOTH]
    given = dict(closed=str(closed[0]) if closed else None, inner=str(inner), level=level)
    said, complaint = caller(AS_NOBODY.format(**given, programs=[case[0] for case in UNPRIVILEGED])).communicate(
        timeout=60
    )
    if complaint and not said:
        pytest.skip(f"could not become nobody: {complaint.splitlines()[-1]}")
    found = json.loads(said)
    if isinstance(found, str):
        pytest.skip(found)
    for (program, status, printed), outcome in zip(UNPRIVILEGED, found, strict=True):
        assert (outcome[0], outcome[1], outcome[3]) == (status, printed, level), (program, outcome)


def test_thousands_of_programs_leave_nothing_behind(level):
    programs = ["print(1)", "1 / 0", "open('a', 'w').write('x' * 100)", "import os; os._exit(3)"]

    def held():
        time.sleep(0.3)  # a worker tidies up after it has answered
        workers = descendants(os.getpid())
        lines = [line for pid in workers for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()]
        memory = sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        open_in_workers = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in workers)
        return len(workers), len(os.listdir("/proc/self/fd")), open_in_workers, memory

    with Sandbox(2, level=level) as sandbox:
        sandbox.run(programs * 25)
        before = held()
        statuses = {outcome.status for outcome in sandbox.run(programs * (500 if level == OFFERED[0] else 50))}
        after = held()
    assert statuses <= {"ok", "error"}
    assert after[:3] == before[:3]
    assert after[3] < before[3] * 1.1 + 2000
