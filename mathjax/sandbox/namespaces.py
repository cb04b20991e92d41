"""A process tree with a file system, process numbers, network and host name of its own."""

import os
import stat

from mathjax.sandbox import kernel
from mathjax.sandbox.kernel import MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_REC, MS_REMOUNT

SCRATCH = "/box/scratch"
BOX = "/box"  # what lies in the scratch folder is reached by a rule for the folder that it is mounted in
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_OLD = "/old"
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache")
_CAP_SYS_ADMIN, _CAP_SETUID = 21, 7
_NOBODY = 65534
_KINDS = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)


def enter(control) -> tuple[int | None, int]:
    """Go on as the first process of new namespaces.

    Gives the user that programs are to become (None: they stay what we are) and a descriptor of our process numbers.
    A process stays behind that holds none of `control`, waits, and ends with the one that goes on. As root no user
    namespace is needed; otherwise we become nobody. OSError where the machine does not allow it.
    """
    user = own_user() if kernel.has_capability(_CAP_SYS_ADMIN) else None
    outer_user, outer_group = os.geteuid(), os.getegid()
    try:
        if user is None:
            raise PermissionError("needs a user namespace")
        kernel.unshare(_KINDS)
    except PermissionError:
        user = None
        kernel.unshare(_KINDS | kernel.CLONE_NEWUSER)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{_NOBODY} {outer_user} 1"),
            ("gid_map", f"{_NOBODY} {outer_group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    first = os.fork()
    if first:
        control.close()
        code = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
        os._exit(code if code >= 0 else 128 - code)
    return user, os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)


def own_user() -> int | None:
    """A user number that nobody else has, where this process may become it: root only."""
    if os.geteuid() != 0 or not kernel.has_capability(_CAP_SETUID):
        return None
    wanted = 1_900_000_000 + os.getpid()  # far from users of people, services and containers
    with open("/proc/self/uid_map") as file:  # in a container there may be fewer users
        known = [(int(first), int(count)) for first, _, count in map(str.split, file)]
    return wanted if any(first <= wanted < first + count for first, count in known) else _NOBODY


def build_root(paths: list[str]) -> int | None:
    """Make a root folder that holds `paths` and the system's libraries, read-only, and nothing else; go there.

    Gives a descriptor of /proc as these namespaces see it, which the new root lacks; None where that is not allowed.
    """
    sources = {path: os.path.realpath(path) for path in outermost([*paths, *SYSTEM])}
    links = {path: os.readlink(path) for path in sources if path in ("/lib", "/lib64") and os.path.islink(path)}
    kernel.mount("none", "/", None, MS_REC | MS_PRIVATE)
    base = "/tmp" if os.path.isdir("/tmp") else "/usr"  # any folder will do: it is in view again once we are inside
    kernel.mount("none", base, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=0755")
    os.mkdir(base + _OLD)
    kernel.pivot_root(base, base + _OLD)
    os.chdir("/")
    proc = _own_proc()
    for path, source in sources.items():
        if path in links:
            os.symlink(links[path], path)
        else:
            _bind(source, path)
            kernel.make_read_only(path)
    for path in DEVICES:
        _bind(path, path)
        kernel.make_read_only(path, device=True)  # as a file: its mode stays; the device itself can be written
    os.makedirs(SCRATCH)
    for path in ("/tmp", "/dev/shm"):
        if not os.path.lexists(path):  # the interpreter may lie there
            os.symlink(SCRATCH, path)
    kernel.unmount(_OLD)
    os.rmdir(_OLD)
    kernel.mount("none", "/", None, MS_REMOUNT | MS_BIND | kernel.MS_RDONLY | MS_NOSUID | MS_NODEV)
    return proc


def mount_scratch(user: int, size: int, files: int):
    """An empty scratch folder of `size` bytes that holds at most so many files."""
    options = f"size={size},nr_inodes={files + 1},mode=0700,uid={user},gid={user}"
    kernel.mount("none", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)


def outermost(paths):
    """Those of the paths that exist and do not lie in another of them."""
    found = []
    for path in sorted({os.path.abspath(path) for path in paths if os.path.exists(path)}):
        if not any(path.startswith(folder + "/") for folder in found):
            found.append(path)
    return found


def _own_proc():
    os.mkdir("/proc")
    try:
        kernel.mount("none", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError:  # where parts of /proc are hidden from us, as in many containers
        return None
    descriptor = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    kernel.unmount("/proc")
    return descriptor


def _bind(source, path):
    if stat.S_ISDIR(os.stat(_OLD + source).st_mode):
        os.makedirs(path, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o644))
    kernel.mount(_OLD + source, path, None, MS_BIND | MS_REC)
