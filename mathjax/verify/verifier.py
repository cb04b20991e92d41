"""Verdicts in batches, on all cores, whatever the completions hold."""

import dataclasses
import itertools
import json
import os
import queue
import select
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from mathjax.records import Record
from mathjax.sandbox import Limits, Sandbox
from mathjax.verify import styles
from mathjax.verify.verdict import Verdict
from mathjax.verify.worker import LENGTH

CHUNK = 128  # cases judged at a time
_ROOT = str(Path(__file__).resolve().parents[2])
_START = f"import sys; sys.path.insert(0, {_ROOT!r}); from mathjax.verify import worker; worker.main()"


class Case(NamedTuple):
    """A record, the completion to be held against its answer, and by which protocol; None: by the verifier's."""

    record: Record
    completion: str
    protocol: str | None = None


class Verifier:
    """Judges completions in processes of its own, and runs programs in a sandbox of its own.

    `with Verifier() as verify: verdicts = verify(cases)`. A case is a `Case`, or a mapping with `answer` and
    `completion`, perhaps with `style` (cot, pot, arithmetic, choice), `question` and `options`. Verdicts come in the
    order of the cases. A comparison that takes longer than `seconds`, or too much memory, has a verdict that says so:
    `timeout`, `memory`. The sandbox starts with the first program that needs it, with `limits` and at the level of
    isolation that the machine offers, `minimum` at least (see `sandbox.Sandbox`). Threads may share a verifier.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        protocol: str = "strict",
        limits: Limits | None = None,
        level: str | None = None,
        minimum: str | None = None,
        seconds: float = 2.0,
    ):
        self.workers = workers or os.cpu_count() or 1
        if self.workers < 1 or seconds <= 0:
            raise ValueError(f"workers and seconds must be positive, got {workers} and {seconds}")
        if not any(protocol in names for names in styles.PROTOCOLS.values()):
            every = sorted({name for names in styles.PROTOCOLS.values() for name in names})
            raise ValueError(f"no protocol {protocol!r}; there are {', '.join(every)}")
        self.protocol, self.seconds = protocol, seconds
        self._sandboxed = {"limits": limits, "level": level} | ({"minimum": minimum} if minimum else {})
        self._sandbox, self._closed, self._opening = None, False, threading.Lock()
        self._judges = queue.LifoQueue()
        for _ in range(self.workers):
            self._judges.put(None)  # started when it is needed
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="verifier")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __call__(self, cases: Iterable[Case | Mapping]) -> list[Verdict]:
        """The verdicts on all cases."""
        return list(self.stream(cases))

    def stream(self, cases: Iterable[Case | Mapping]) -> Iterator[Verdict]:
        """Verdicts in the order of the cases, while later ones are being judged; a few chunks at most are in memory.

        ValueError names a case that cannot be judged, by its place: without an answer, of an unknown style, with an
        arithmetic question that has no value.
        """
        if self._closed:
            raise RuntimeError("this verifier is closed")
        waiting, chunks = deque(), _chunks(map(self._row, itertools.count(), cases))
        try:
            for start, chunk in chunks:
                waiting.append(self._threads.submit(self._chunk, start, chunk))
                if len(waiting) > 2 * self.workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    @property
    def level(self) -> str | None:
        """The level of isolation that programs have run under, None before the first that needed the sandbox."""
        return self._sandbox.level if self._sandbox else None

    def close(self):
        """End all processes; a second time it does nothing."""
        if self._closed:
            return
        self._closed = True
        self._threads.shutdown(cancel_futures=True)
        while not self._judges.empty():
            if judge := self._judges.get():
                judge.close()
        if self._sandbox:
            self._sandbox.close()

    def _row(self, place, case):
        """A case as a worker takes it: fields of a record, completion, protocol, and no outcome yet."""
        if isinstance(case, Mapping):
            if missing := [name for name in ("answer", "completion") if not isinstance(case.get(name), str)]:
                raise ValueError(f"case {place} needs {' and '.join(missing)}, as text; got {sorted(case)}")
            row = {name: case[name] for name in ("answer", "style", "options") if case.get(name) is not None}
            row["question"], completion, protocol = case.get("question") or "", case["completion"], None
        else:
            record, completion, protocol = case
            row = {"question": record.question, "answer": record.answer, "style": record.style}
            row["options"] = record.options
            if protocol in styles.BY_SOLUTION:
                row["solution"] = record.solution
        style = row.setdefault("style", "cot")
        if protocol is None:
            protocol = self.protocol if self.protocol in styles.PROTOCOLS.get(style, ()) else "strict"
        try:
            styles.check(style, protocol)
        except ValueError as error:
            raise ValueError(f"case {place}: {error}") from None
        return row, completion, protocol, None

    def _chunk(self, start, rows):
        """The verdicts on a chunk of cases; programs that need it go through the sandbox in between."""
        found = self._judged(rows)
        programs = [place for place, one in enumerate(found) if "run" in one]
        if programs:
            sources = list(dict.fromkeys(found[place]["run"] for place in programs))  # once for all protocols
            outcomes = dict(zip(sources, self._open().run(sources), strict=True))
            again = [(*rows[place][:3], dataclasses.asdict(outcomes[found[place]["run"]])) for place in programs]
            for place, one in zip(programs, self._judged(again), strict=True):
                found[place] = one
        for place, one in enumerate(found, start):
            if "error" in one:
                raise ValueError(f"case {place}: {one['error']}")
        return [Verdict(**one["verdict"]) for one in found]

    def _judged(self, rows):
        """What a worker says of each row; where it says nothing in time, each is asked for by itself."""
        judge = self._judges.get()
        try:
            judge = judge or _Judge()
            try:
                return judge.ask(rows, self.seconds + (0.0 if len(rows) == 1 else self.seconds))
            except _Silent as silent:
                judge.close()
                judge = None
                if len(rows) == 1:
                    lost = Verdict(answer=None, correct=False, why=silent.why, seconds=self.seconds)
                    return [{"verdict": dataclasses.asdict(lost)}]
        finally:
            self._judges.put(judge)
        return [self._judged([row])[0] for row in rows]

    def _open(self):
        """The sandbox, made once."""
        with self._opening:
            if self._sandbox is None:
                self._sandbox = Sandbox(workers=self.workers + 1, **self._sandboxed)
        return self._sandbox


class _Silent(Exception):
    """A worker that gave no answer: it took too long, or it died."""

    def __init__(self, why):
        super().__init__(why)
        self.why = why


class _Judge:
    """One worker process."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={"PATH": os.defpath, "PYTHONHASHSEED": "0"},
            start_new_session=True,  # an interrupt from the keyboard is for the caller alone
        )
        self.fresh = True

    def ask(self, rows, seconds):
        data = json.dumps(rows).encode()
        seconds += 20.0 if self.fresh else 0.0  # imports
        try:
            self.process.stdin.write(LENGTH.pack(len(data)) + data)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise _Silent("memory") from None
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise _Silent("timeout")
        head = self.process.stdout.read(LENGTH.size)
        if len(head) < LENGTH.size:
            raise _Silent("memory")
        self.fresh = False
        return json.loads(self.process.stdout.read(LENGTH.unpack(head)[0]))

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except BrokenPipeError:
                pass


def _chunks(rows):
    """(place of its first, rows) of chunks of CHUNK."""
    start = 0
    while chunk := list(itertools.islice(rows, CHUNK)):
        yield start, chunk
        start += len(chunk)
