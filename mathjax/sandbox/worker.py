"""One worker as the caller sees it: a process that was executed, not forked, and a socket to it."""

import contextlib
import dataclasses
import importlib.util
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import weakref

from mathjax.sandbox import frames, preload
from mathjax.sandbox.limits import Limits, Outcome

_FOLDER = os.path.dirname(os.path.abspath(__file__))
# The packages are put in place empty: what they import would be copied with every fork.
_START = """
import sys, types
for name, folder in (("mathjax", {package!r}), ("mathjax.sandbox", {folder!r})):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
from mathjax.sandbox import guest
guest.main({descriptor})
"""
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # the same program prints a set in the same order
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONMALLOC": "malloc",  # the heap on huge pages makes forks cheaper
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
_SLACK = 10.0  # seconds beyond a program's own after which a worker that says nothing is given up
_START_SECONDS = 60.0
_ERROR = 500  # characters of an error


class Unavailable(Exception):
    """The machine does not offer a level; says what is missing."""


class Lost(Exception):
    """The worker died, or cannot be trusted any more; says how."""


class Worker:
    """Owns a process, a socket and, without namespaces, a folder; one thread at a time may use it."""

    def __init__(self, level: str, kind: str, limits: Limits):
        self.level, self.limits, self.runs = level, limits, 0
        self.scratch = None if level == "namespaces" else tempfile.mkdtemp(prefix="mathjax-")
        self.remove = weakref.finalize(self, shutil.rmtree, self.scratch or "", ignore_errors=True)  # also at exit
        self.control, theirs = socket.socketpair()
        self.control.settimeout(_START_SECONDS)
        with theirs:
            start = _START.format(package=os.path.dirname(_FOLDER), folder=_FOLDER, descriptor=theirs.fileno())
            self.process = subprocess.Popen(
                [sys.executable, "-s", "-S", "-P", "-c", start],
                env=_ENVIRONMENT | {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        try:
            self._settle(kind)
        except BaseException:
            self.close()
            raise

    def _settle(self, kind):
        settings = {
            "level": self.level,
            "kind": kind,
            "limits": dataclasses.asdict(self.limits),
            "scratch": self.scratch,
            "packages": _packages(),
            "paths": [path for path in (sysconfig.get_config_var("LIBDIR"),) if path],
        }
        try:
            self.control.sendall(frames.frame(json.dumps(settings).encode()))
            missing = json.loads(frames.receive_frame(self.control))["missing"]
        except (OSError, EOFError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
            self.process.kill()
            code = self.process.wait()
            if code in (-signal.SIGSYS, 128 + signal.SIGSYS):  # killed for a system call, as some containers do
                raise Unavailable("the machine kills a process that asks for it") from error
            raise RuntimeError(f"a worker ended as it started, with status {code}; its stderr says why") from error
        if missing:
            raise Unavailable(missing)
        self.control.settimeout(self.limits.wall_seconds + _SLACK)

    def run(self, text: bytes) -> Outcome:
        """What became of one program; Lost where the worker did not live to say it."""
        self.runs += 1
        try:
            self.control.sendall(frames.frame(text))
            head = frames.receive(self.control, frames.VERDICT.size)
            why, ended, cpu, seconds, printed, said = frames.VERDICT.unpack(head)
            printed, said = frames.receive(self.control, printed), frames.receive(self.control, said)
        except (OSError, EOFError) as error:
            raise Lost(f"its worker died: {error}") from error
        status, why = _judge(why.rstrip(b"\0").decode(), ended, cpu, said.decode(errors="replace"), self.limits)
        printed = printed[: self.limits.output_bytes].decode(errors="replace")
        return Outcome(status=status, printed=printed, error=why, seconds=seconds, level=self.level)

    def kill(self):
        """End the process and what it runs; a thread that waits for an outcome has Lost it."""
        with contextlib.suppress(OSError):  # the other end is closed already
            self.control.shutdown(socket.SHUT_RDWR)
        self.process.kill()

    def close(self):
        """End the process and what it runs, and wait for it."""
        self.kill()
        self.control.close()
        self.process.wait()
        self.remove()


def _judge(ended_for, ended, cpu, said, limits):
    """The status of a program and the line that says why."""
    why = {
        "timeout": f"ran longer than {limits.wall_seconds:g} s",
        "memory": f"used more than {limits.memory_bytes:,} bytes of memory",
        "output": f"printed more than {limits.output_bytes:,} bytes",
    }
    code = os.waitstatus_to_exitcode(ended)
    if ended_for:
        return ended_for, why[ended_for]
    if code == 0:
        return "ok", ""
    if code < 0 and cpu >= math.ceil(limits.cpu_seconds) - 0.1:
        return "timeout", f"used more than {limits.cpu_seconds:g} s of CPU time"
    if code < 0:
        return "killed", f"died of {signal.Signals(-code).name}"
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), f"exit status {code}")
    return ("memory", why["memory"]) if last.startswith("MemoryError") else ("error", last[:_ERROR])


def _packages():
    """Folders that hold what programs may import beside the standard library."""
    specs = (importlib.util.find_spec(name) for name in preload.PACKAGES)
    return sorted({os.path.dirname(os.path.dirname(spec.origin)) for spec in specs if spec and spec.origin})
