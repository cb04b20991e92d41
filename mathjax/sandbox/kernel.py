"""Linux calls that Python's os module lacks, by ctypes; each raises OSError that names the call."""

import ctypes
import os
import struct

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)
# The C library's fork, without what Python does in the child: that alone touches 190 pages, which all get copied. It is
# for a process of one thread, whose locks are as it left them; random numbers go on in the child where they were.
fork = ctypes.PyDLL(None).fork


def checked(result: int, call: str) -> int:
    """`result`, or OSError of the C library's errno where it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
    return result


def syscall(number: int, call: str, *arguments) -> int:
    return checked(libc.syscall(ctypes.c_long(number), *arguments), call)


def unshare(flags: int):
    checked(libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int):
    checked(libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None):
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    checked(libc.mount(*encoded, ctypes.c_ulong(flags), options and options.encode()), f"mount on {target}")


def unmount(target: str):
    """Take a mount out of sight now; the kernel drops it when its last user has ended."""
    checked(libc.umount2(os.fsencode(target), MNT_DETACH), f"umount2 of {target}")


def pivot_root(new: str, old: str):
    syscall(_PIVOT_ROOT[os.uname().machine], "pivot_root", os.fsencode(new), os.fsencode(old))


def make_read_only(target: str, device: bool = False):
    """Make a mount, and those below it, read-only, without set-user-id bits and, but for a device, without devices."""
    flags = MS_RDONLY | MS_NOSUID | (0 if device else MS_NODEV)
    attributes = struct.pack("=QQQQ", flags, 0, 0, 0)
    try:
        path = os.fsencode(target)
        syscall(_MOUNT_SETATTR, "mount_setattr", _AT_FDCWD, path, _AT_RECURSIVE, attributes, len(attributes))
    except OSError:  # before Linux 5.12: the mount alone, with the flags it may not lose
        kept = os.statvfs(target).f_flag & (MS_NOEXEC | 0x1C00)
        mount("none", target, None, MS_REMOUNT | MS_BIND | flags | kept)


def prctl(option: int, value: int = 0, address: int = 0):
    checked(libc.prctl(option, ctypes.c_ulong(value), ctypes.c_void_p(address), None, None), f"prctl {option}")


def drop_capabilities():
    """Give up every capability for good: nothing is executed any more that could bring one back."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    checked(libc.capset(header, bytes(24)), "capset")


def has_capability(number: int) -> bool:
    """Whether this process may use a capability now."""
    header, sets = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), ctypes.create_string_buffer(24)
    checked(libc.capget(header, sets), "capget")
    effective = struct.unpack_from("=I", sets.raw, 12 * (number // 32))[0]
    return bool(effective >> number % 32 & 1)
