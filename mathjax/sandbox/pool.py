"""Programs in, outcomes out, in order: some workers side by side, started when they are needed."""

import queue
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor

from mathjax.sandbox import preload
from mathjax.sandbox.limits import LEVELS, Limits, Outcome
from mathjax.sandbox.worker import Lost, Unavailable, Worker

_RECYCLED = 5000  # programs after which a worker is replaced
_AHEAD = 4  # programs of one stream for each worker that are waiting, running, or done before an earlier one


class Sandbox:
    """Runs programs that nobody has read, each in a process of its own that starts warm and leaves nothing behind.

    workers: programs that run at once; one or two more than there are cores keep these busy when a program sleeps.
    level: one of LEVELS, by name; None takes the strongest that the machine offers. minimum: the weakest level that
    is taken unasked. heavy: whether programs find numpy and sympy imported and warm; None: those that name them do.
    RuntimeError where the machine offers no such level, with what is missing. Threads may share a sandbox.
    """

    def __init__(
        self,
        workers: int = 2,
        limits: Limits | None = None,
        *,
        level: str | None = None,
        minimum: str = "landlock",
        heavy: bool | None = None,
    ):
        if workers < 1:
            raise ValueError(f"workers is {workers}; wanted at least 1")
        for name, value in (("level", level or LEVELS[0]), ("minimum", minimum)):
            if value not in LEVELS:
                raise ValueError(f"{name} is {value!r}; wanted one of {', '.join(LEVELS)}")
        self.limits, self.workers, self._heavy, self._closed = limits or Limits(), workers, heavy, False
        first = _first([level] if level else LEVELS[: LEVELS.index(minimum) + 1], self.limits)
        self.level = first.level
        self._places = [{} for _ in range(workers)]  # of one program each: its workers by kind
        self._places[-1]["light"] = first
        self._free = queue.LifoQueue()  # the last place used is the one most likely to have the worker that is needed
        for place in self._places:
            self._free.put(place)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="sandbox")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self, programs: Iterable[str]) -> list[Outcome]:
        """What became of each program, in their order."""
        return list(self.stream(programs))

    def stream(self, programs: Iterable[str]) -> Iterator[Outcome]:
        """The outcomes in the order of the programs, each as soon as it and all before it are known.

        Takes a few programs more from the iterable than it has given outcomes. RuntimeError once the sandbox is
        closed.
        """
        running = deque()
        try:
            for program in programs:
                running.append(self._submit(program))
                if len(running) >= _AHEAD * self.workers:
                    yield self._wait(running.popleft())
            while running:
                yield self._wait(running.popleft())
        finally:
            for future in running:
                future.cancel()

    def close(self):
        """End all workers and what they run, now; a second time it does nothing."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers():
            worker.kill()
        self._threads.shutdown()
        for worker in self._workers():
            worker.close()
        self._places.clear()

    def _workers(self):
        return [worker for place in self._places for worker in list(place.values())]

    def _submit(self, program):
        if not isinstance(program, str):
            raise TypeError(f"a program is {type(program).__name__}; wanted str")
        if self._closed:
            raise RuntimeError("the sandbox is closed")
        return self._threads.submit(self._one, program)

    def _wait(self, future):
        try:
            return future.result()
        except CancelledError:
            raise RuntimeError("the sandbox was closed before the program ran") from None

    def _one(self, program):
        """The outcome of one program; runs in a thread."""
        try:
            text = program.encode()
        except UnicodeEncodeError as error:
            return self._refused(f"no UTF-8: {error.reason}")
        if "\0" in program:
            return self._refused(f"a NUL at character {program.index(chr(0))}")
        if len(text) > self.limits.program_bytes:
            return self._refused(f"{len(text):,} bytes long; at most {self.limits.program_bytes:,} are run")
        kind = preload.kind(program, self._heavy)
        place = self._free.get()
        try:
            return self._run(place, kind, text)
        finally:
            self._free.put(place)

    def _run(self, place, kind, text):
        if kind not in place:
            place[kind] = Worker(self.level, kind, self.limits)
            if self._closed:
                raise RuntimeError("the sandbox was closed before the program ran")
        worker = place[kind]
        try:
            outcome = worker.run(text)
        except Lost as error:
            if self._closed:
                raise RuntimeError("the sandbox was closed while the program ran") from None
            outcome = Outcome(status="killed", error=str(error), level=self.level)
            worker.runs = _RECYCLED
        if worker.runs >= _RECYCLED:
            del place[kind]
            worker.close()
        return outcome

    def _refused(self, why):
        return Outcome(status="refused", error=why, level=self.level)


def _first(levels, limits):
    """A worker of the first level that the machine offers; RuntimeError that says what the others lack."""
    missing = []
    if not sys.platform.startswith("linux"):
        raise RuntimeError(f"programs are isolated by Linux's means; this is {sys.platform}")
    for level in levels:
        try:
            return Worker(level, "light", limits)
        except Unavailable as error:
            missing.append(f"{level}: {error}")
    raise RuntimeError(
        f"this machine does not offer the isolation that was asked for ({'; '.join(missing)}). A weaker level has to "
        f"be named: level= or minimum= one of {', '.join(LEVELS)}"
    )
