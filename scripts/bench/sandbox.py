"""Programs a second in the sandbox, beside a fresh interpreter for each, in one run.

    python scripts/bench/sandbox.py [--workers=3] [--seconds=20] [--level=namespaces]
    python scripts/bench/sandbox.py --programs=10000     (does anything grow?)

The programs are those that models wrote, from the folder of public data that MATHJAX_DATA names or ../shared/data,
without such data, a few written here. `plain` import neither sympy nor numpy nor scipy, `sympy` do. Only programs that
run without an error are measured, once all workers have started. A fresh interpreter is `python -c`, without isolation
and with the same limit of time, as many at once. Milliseconds are those of one program, from start to end.

--programs runs so many, plain and sympy as they come, and prints memory, processes and descriptors on the way.
"""

import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from absl import app, flags

from mathjax.sandbox import LEVELS, Limits, Sandbox

_WORKERS = flags.DEFINE_integer("workers", (os.cpu_count() or 1) + 1, "programs that run at once", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 20, "how long to measure, all together", lower_bound=1)
_LEVEL = flags.DEFINE_enum("level", None, LEVELS, "of isolation; by default the strongest there is")
_PROGRAMS = flags.DEFINE_integer("programs", 0, "look for growth over so many programs; 0: measure speed")

_DATA = pathlib.Path(os.environ.get("MATHJAX_DATA", pathlib.Path(__file__).parents[3] / "shared" / "data"))
_FENCED = re.compile(r"```python\n(.*?)```", re.DOTALL)
_HEAVY = re.compile(r"\b(?:sympy|numpy|scipy)\b")
_PLAIN = [
    "eggs = 16 - 3 - 4\nprint(eggs * 2)",
    "def solution():\n    bolts = 2\n    return bolts + bolts / 2\nprint(solution())",
    "total = sum(price * count for price, count in [(3, 5), (8, 2), (2.5, 4)])\nprint(round(total, 2))",
]
_SYMPY = [
    "from sympy import symbols, solve\nx = symbols('x')\nprint(solve(x**2 - 5*x + 6, x))",
    "import sympy as sp\nx = sp.Symbol('x')\nprint(sp.simplify((x**2 - 1) / (x - 1)))",
    "from sympy import *\nx, y = symbols('x y')\nprint(solve([x + y - 35, 2*x + 4*y - 94], [x, y]))",
]


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{argv[1]!r} is not expected; see {argv[0]} --help")
    kinds = written_by_models()
    print("programs: " + ", ".join(f"{len(programs):,} {kind}" for kind, programs in kinds.items()))
    if _PROGRAMS.value:
        growth(list(itertools.chain(*kinds.values())), _PROGRAMS.value)
    else:
        speed(kinds, _SECONDS.value / len(kinds) / 2)


def written_by_models():
    """Kind to programs, each once."""
    found = collections.defaultdict(dict)
    for path in sorted(_DATA.glob("outputs/*.jsonl")):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            texts = [block for text in record.get("code", []) for block in _FENCED.findall(text)]
            if "codex" in path.name:
                texts += [f"{text}\nprint(ans)" for text in record.get("generated", []) if "ans =" in text]
            for text in texts:
                found["sympy" if _HEAVY.search(text) else "plain"][text] = None
    if not found:
        print(f"no outputs of models in {_DATA}: a few programs written here instead", file=sys.stderr)
        return {"plain": _PLAIN, "sympy": _SYMPY}
    return {kind: list(found[kind]) for kind in sorted(found)}


def speed(kinds, seconds):
    """Print programs a second of each kind, fresh and in the sandbox."""
    print(f"{'':30}{'programs/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'longest':>10}  outcomes")
    with Sandbox(_WORKERS.value, Limits(wall_seconds=5), level=_LEVEL.value) as sandbox:
        start(sandbox)
        for kind, programs in kinds.items():
            programs = working(sandbox, programs)
            for name, stream in (("fresh interpreter", fresh), (f"sandbox, {sandbox.level}", sandbox.stream)):
                begun, outcomes = time.perf_counter(), []
                until = itertools.takewhile(
                    lambda _, end=begun + seconds: time.perf_counter() < end, itertools.cycle(programs)
                )
                outcomes.extend((outcome.status, outcome.seconds) for outcome in stream(until))
                rate = len(outcomes) / (time.perf_counter() - begun)
                took = sorted(1000 * spent for _, spent in outcomes)
                counts = collections.Counter(status for status, _ in outcomes)
                said = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
                middle, late = took[len(took) // 2], took[len(took) * 99 // 100]
                print(f"{kind + ', ' + name:30}{rate:>12,.0f}{middle:>10.1f}{late:>10.1f}{took[-1]:>10.0f}  {said}")


def start(sandbox):
    """Let every worker of every kind start."""
    for module in ("time", "sympy", "scipy"):
        sandbox.run([f"import {module}, time; time.sleep(0.5)"] * _WORKERS.value)


def working(sandbox, programs):
    """Some programs, those that run without an error."""
    some = programs[:: max(len(programs) // 1000, 1)]
    return [text for text, outcome in zip(some, sandbox.run(some), strict=True) if outcome.status == "ok"]


def fresh(programs):
    """Outcomes of `python -c`, as many at once as the sandbox has workers."""
    with concurrent.futures.ThreadPoolExecutor(_WORKERS.value) as threads:
        running = collections.deque()
        for program in programs:
            running.append(threads.submit(_alone, program))
            if len(running) >= _WORKERS.value:
                yield running.popleft().result()
        for future in running:
            yield future.result()


Alone = collections.namedtuple("Alone", "status seconds")


def _alone(program):
    begun = time.perf_counter()
    try:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, stdin=subprocess.DEVNULL, timeout=5)
        status = "error" if done.returncode else "ok"
    except subprocess.TimeoutExpired:
        status = "timeout"
    return Alone(status, time.perf_counter() - begun)


def growth(programs, count):
    """Run so many programs and print what the caller and the workers hold; exits with 1 if it grew."""
    print(f"{'programs':>10}{'/s':>8}{'caller MB':>12}{'workers MB':>12}{'processes':>11}{'descriptors':>13}")
    with Sandbox(_WORKERS.value, Limits(wall_seconds=5), level=_LEVEL.value) as sandbox:
        start(sandbox)
        begun, rows = time.perf_counter(), []
        for done, _ in enumerate(sandbox.stream(itertools.islice(itertools.cycle(programs), count)), 1):
            if done % max(count // 10, 1) == 0:
                rows.append(held())
                megabytes, workers, processes, descriptors = rows[-1]
                rate = done / (time.perf_counter() - begun)
                print(f"{done:>10,}{rate:>8,.0f}{megabytes:>12,.1f}{workers:>12,.1f}{processes:>11}{descriptors:>13}")
    first, last = rows[len(rows) // 3], rows[-1]
    grown = last[0] > first[0] + 8 or last[1] > first[1] * 1.1 + 8 or last[2] > first[2] + 2 * _WORKERS.value
    sys.exit("it grew" if grown or last[3] > first[3] + 4 else 0)


def held():
    """Megabytes of the caller, megabytes of its descendants (what they share counts once), how many, descriptors."""
    family, parents = {os.getpid()}, {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    own = os.getpid()
    workers = sum(map(_resident, family - {own}))
    return _resident(own), workers, len(family) - 1, len(os.listdir("/proc/self/fd"))


def _resident(pid):
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    app.run(main)
