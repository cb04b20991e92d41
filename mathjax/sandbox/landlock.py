"""Landlock: a process gives up all files but those below given folders, TCP, and signals to those outside."""

import errno
import os
import stat
import struct

from mathjax.sandbox import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_FILE_BITS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ = _READ_FILE | _READ_DIR


def version() -> int:
    """Of the kernel's Landlock; 0 where it has none, or none that is switched on."""
    try:
        return kernel.syscall(_CREATE_RULESET, "landlock_create_ruleset", None, 0, 1)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def restrict(readable: list[str | int], writable: list[str]):
    """Hold this process and its children to what lies below `readable`, and to change what lies below `writable`.

    Folders are given by path or by descriptor. Needs no_new_privs.
    """
    known = version()
    files = (1 << 13) - 1
    for bit, since in ((_REFER, 2), (_TRUNCATE, 3), (_IOCTL_DEV, 5)):
        files |= bit if known >= since else 0
    tcp, scoped = 3, 3  # bind and connect; abstract sockets and signals
    attributes = struct.pack("=Q", files)
    if known >= 4:
        attributes += struct.pack("=Q", tcp)
    if known >= 6:
        attributes += struct.pack("=Q", scoped)
    rules = kernel.syscall(_CREATE_RULESET, "landlock_create_ruleset", attributes, len(attributes), 0)
    for paths, bits in ((readable, _READ), (writable, files & ~_EXECUTE)):
        for path in paths:
            _allow(rules, path, bits & files)
    kernel.syscall(_RESTRICT_SELF, "landlock_restrict_self", rules, 0)
    os.close(rules)


def _allow(rules, path, bits):
    descriptor = os.dup(path) if isinstance(path, int) else os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            bits &= _FILE_BITS
        kernel.syscall(_ADD_RULE, f"landlock_add_rule for {path}", rules, 1, struct.pack("=Qi", bits, descriptor), 0)
    finally:
        os.close(descriptor)
