"""The worker's eyes on one running program: its output, its end, its time and memory, and the caller."""

import math
import os
import select
import time

_LOOK = 0.05  # seconds between looks at the memory
TAIL = 4096  # bytes of stderr that are kept


class Watch:
    """Holds a descriptor of the child; `printed` and `said` are filled with its output from their beginning."""

    def __init__(self, control, jail, pid: int, begun: float, pipes: tuple[int, int], buffers):
        self.jail, self.begun = jail, begun
        self.out, self.err = pipes
        self.printed, self.said = buffers
        self.length = self.tail = self.spoken = 0  # bytes in the buffers; bytes of stderr in all
        self.control = control.fileno()
        self.end = os.pidfd_open(pid)
        for pipe in pipes:
            os.set_blocking(pipe, False)

    def close(self):
        for descriptor in (self.end, self.out, self.err):
            os.close(descriptor)

    def until_end(self) -> str:
        """Wait; gives why the program has to be ended: timeout, memory, output, gone (the caller); "" if it ended."""
        poll = select.poll()
        for descriptor in (self.end, self.out, self.err):
            poll.register(descriptor, select.POLLIN)
        poll.register(self.control, select.POLLRDHUP)
        deadline = self.begun + self.jail.limits.wall_seconds
        look = self.begun + (_LOOK if self.jail.proc is not None else math.inf)
        while (now := time.monotonic()) < deadline:
            if now >= look:
                if self.jail.resident() > self.jail.limits.memory_bytes:
                    return "memory"
                look = now + _LOOK
            ready = {found for found, _ in poll.poll(math.ceil(1000 * (min(deadline, look) - now)))}
            if self.control in ready:
                return "gone"
            for pipe in ready & {self.out, self.err}:
                if not self._read(pipe):
                    poll.unregister(pipe)
            if self._overflows():
                return "output"
            if self.end in ready:
                return ""
        return "timeout"

    def rest(self) -> str:
        """Read what is left of a program that ended; "output" if it is more than it may print."""
        for pipe in (self.out, self.err):
            try:
                while not self._overflows() and self._read(pipe):
                    pass
            except BlockingIOError:  # something that escaped holds the other end
                continue
        return "output" if self._overflows() else ""

    def wipe(self):
        """Forget what was read, so that no later child inherits it."""
        self.printed[: self.length] = bytes(self.length)
        self.said[:] = bytes(len(self.said))

    def _overflows(self):
        return max(self.length, self.spoken) > self.jail.limits.output_bytes

    def _read(self, pipe):
        """Whether there may be more."""
        if pipe == self.out:
            with memoryview(self.printed) as whole:
                count = os.readv(pipe, [whole[self.length :]])
            self.length += count
            return count > 0
        if self.tail > TAIL:
            self.said[:TAIL], self.tail = self.said[self.tail - TAIL : self.tail], TAIL
        with memoryview(self.said) as whole:
            count = os.readv(pipe, [whole[self.tail :]])
        self.tail += count
        self.spoken += count
        return count > 0
