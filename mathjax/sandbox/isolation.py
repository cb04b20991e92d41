"""What a worker puts around each program, at the level it was asked for."""

import itertools
import math
import os
import resource
import stat
from dataclasses import dataclass

from mathjax.sandbox import kernel, landlock, namespaces, seccomp
from mathjax.sandbox.limits import Limits


@dataclass(kw_only=True)
class Jail:
    """Where a worker's programs run; every program finds it as the first one did.

    What a worker can do without itself, it gives up once, before there are programs, and they inherit that.
    """

    limits: Limits
    scratch: str
    user: int | None  # that programs become; None: they stay the worker's
    own_pids: int | None = None  # descriptor of the worker's process numbers, where programs get their own
    proc: int | None = None  # descriptor of /proc as the worker sees it, where programs may start processes
    calls: seccomp.Filter | None = None  # of system calls, where it does not hold for the worker

    def prepare(self):
        """Make the next child of this process the first of new process numbers."""
        if self.own_pids is not None:
            kernel.setns(self.own_pids, kernel.CLONE_NEWPID)
            kernel.unshare(kernel.CLONE_NEWPID)

    def confine(self):
        """In the child: give up for good what the worker had to keep."""
        cpu, memory = math.ceil(self.limits.cpu_seconds), self.limits.memory_bytes
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if self.user is not None:
            os.setresuid(self.user, self.user, self.user)  # and with it all capabilities
        else:
            kernel.drop_capabilities()
        if self.own_pids is None:
            os.setpgid(0, 0)
            kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
        if self.calls is not None:
            self.calls.install()

    def kill(self, pid: int):
        """End a program and all that it started; without namespaces, all that stayed in its process group."""
        for target in (pid, -pid) if self.own_pids is None else (pid,):
            try:
                os.kill(target, 9)
            except ProcessLookupError:
                pass

    def clear(self):
        """Make the scratch folder as it was before the last program."""
        with os.scandir(self.scratch) as entries:
            untouched = next(entries, None) is None and stat.S_IMODE(os.stat(self.scratch).st_mode) == 0o700
        if not untouched:
            _wipe(self.scratch)

    def resident(self) -> int:
        """Bytes of memory that the program's processes hold together; what they share counts once. 0: not known."""
        if self.proc is None:
            return 0
        held = sum(int(text.split()[1]) for text in self._each("statm")) * resource.getpagesize()
        if held <= self.limits.memory_bytes:
            return held
        lines = (line.split() for text in self._each("smaps_rollup") for line in text.splitlines())
        return sum(int(line[1]) * 1024 for line in lines if line[0] == "Pss:")

    def _each(self, name):
        """What /proc says about each process but the worker's own."""
        for pid in os.listdir(self.proc):
            if pid.isdigit() and pid != "1":
                try:
                    with open(os.open(f"{pid}/{name}", os.O_RDONLY, dir_fd=self.proc)) as file:
                        yield file.read()
                except OSError:  # it has ended
                    continue


def _with_namespaces(control, limits, paths, scratch):
    calls = seccomp.program(enclosed=True, write=True, worker=True)
    user, own_pids = namespaces.enter(control)
    proc = namespaces.build_root(paths)
    namespaces.mount_scratch(os.geteuid() if user is None else user, limits.file_bytes, limits.files)
    _give_up(namespaces.SCRATCH, user, limits, limits.processes + (2 if user is None else 0))  # we are two of that user
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)  # with the process that waits for us; a change of group would undo it
    if landlock.version():
        landlock.restrict(["/", *([] if proc is None else [proc])], [namespaces.BOX, "/dev/null"])
    calls.install()
    alone = (
        None if proc is not None else seccomp.program(enclosed=False, write=True)
    )  # what cannot be counted stays one
    return Jail(limits=limits, scratch=namespaces.SCRATCH, user=user, own_pids=own_pids, proc=proc, calls=alone)


def _with_landlock(control, limits, paths, scratch):
    if not landlock.version():
        raise OSError("the kernel has no Landlock, or it is switched off")
    paths = namespaces.outermost([*paths, *namespaces.SYSTEM])
    user = namespaces.own_user()
    if not all(map(_open_to_others, paths)):
        user = None  # the interpreter lies in a private folder, as root's may; the rules hold without another user
    _without_namespaces(scratch, user, limits)
    landlock.restrict([*paths, *namespaces.DEVICES], [scratch, "/dev/null"])
    return Jail(limits=limits, scratch=scratch, user=user, calls=seccomp.program(enclosed=False, write=True))


def _with_seccomp(control, limits, paths, scratch):
    user = _without_namespaces(scratch, namespaces.own_user(), limits)
    return Jail(limits=limits, scratch=scratch, user=user, calls=seccomp.program(enclosed=False, write=False))


def _with_rlimits(control, limits, paths, scratch):
    return Jail(limits=limits, scratch=scratch, user=_without_namespaces(scratch, namespaces.own_user(), limits))


def _without_namespaces(scratch, user, limits):
    if user is not None:
        os.chown(scratch, user, user)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # no program may look into a worker of the same user
    _give_up(scratch, user, limits, limits.processes if user is not None else None)
    return user


def _give_up(scratch, user, limits, processes):
    """What a worker does not need either; `processes` where they are counted for this worker alone."""
    os.chdir(scratch)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
    for kind, value in (
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        if value is not None:
            resource.setrlimit(kind, (value, value))


_BUILDERS = {
    "namespaces": _with_namespaces,
    "landlock": _with_landlock,
    "seccomp": _with_seccomp,
    "rlimits": _with_rlimits,
}


def isolate(level: str, control, limits: Limits, paths: list[str], scratch: str) -> Jail:
    """The jail of one level; OSError that names what is missing.

    Programs read `paths` and the system's libraries. With namespaces, another process goes on (see namespaces.enter).
    """
    jail = _BUILDERS[level](control, limits, paths, scratch)
    jail.prepare()
    child = kernel.fork()
    if not child:
        number = 255
        try:
            jail.confine()
            number = 0
        except OSError as error:
            number = error.errno
        finally:
            os._exit(number)
    number = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if number:
        raise OSError(number, f"a program could not give up its rights: {os.strerror(abs(number))}")
    return jail


def _open_to_others(path):
    while path != "/":
        if not os.stat(path).st_mode & stat.S_IXOTH and os.path.isdir(path):
            return False
        path = os.path.dirname(path)
    return True


def _wipe(folder):
    """Remove all that lies in a folder, whatever its depth and permissions."""
    os.chmod(folder, 0o700)
    fresh = map("{}/.{}".format, itertools.repeat(folder), itertools.count())
    while names := os.listdir(folder):
        for path in (os.path.join(folder, name) for name in names):
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                os.unlink(path)
                continue
            os.chmod(path, 0o700)
            for name in os.listdir(path):  # moved up, so that no path grows long
                inner = os.path.join(path, name)
                if not stat.S_ISDIR(os.lstat(inner).st_mode):
                    os.unlink(inner)
                    continue
                os.chmod(inner, 0o700)
                while os.path.lexists(target := next(fresh)):
                    pass
                os.rename(inner, target)
            os.rmdir(path)
