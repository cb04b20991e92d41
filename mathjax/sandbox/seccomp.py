"""The system calls a program may make, as a filter that the kernel runs before each of them.

Whatever is not named here fails with EPERM: programs, sockets, tracing, mounts, keys, io_uring, shared memory, users.
"""

import ctypes
import os
import struct
from bisect import bisect_right

from mathjax.sandbox import kernel

# Name, number on x86_64, number on aarch64; "-" where a machine has no such call.
_READ = """read 0 63, readv 19 65, pread64 17 67, preadv 295 69, preadv2 327 286, write 1 64, writev 20 66,
pwrite64 18 68, pwritev 296 70, pwritev2 328 287, lseek 8 62, stat 4 -, fstat 5 80, lstat 6 -, newfstatat 262 79,
statx 332 291, access 21 -, faccessat 269 48, faccessat2 439 439, getdents 78 -, getdents64 217 61, getcwd 79 17,
chdir 80 49, fchdir 81 50, readlink 89 -, readlinkat 267 78, statfs 137 43, fstatfs 138 44, fadvise64 221 223,
flock 73 32, close 3 57, close_range 436 436, dup 32 23, dup2 33 -, dup3 292 24, pipe 22 -, pipe2 293 59, poll 7 -,
ppoll 271 73, select 23 -, pselect6 270 72, epoll_create 213 -, epoll_create1 291 20, epoll_ctl 233 21,
epoll_wait 232 -, epoll_pwait 281 22, epoll_pwait2 441 441, eventfd 284 -, eventfd2 290 19, timerfd_create 283 85,
timerfd_settime 286 86, timerfd_gettime 287 87, sendfile 40 71, copy_file_range 326 285, fsync 74 82,
fdatasync 75 83, umask 95 166, shutdown 48 210, getsockopt 55 209, getsockname 51 204, getpeername 52 205,
sendto 44 206, recvfrom 45 207, sendmsg 46 211, recvmsg 47 212"""
_MEMORY = """mmap 9 222, mprotect 10 226, munmap 11 215, mremap 25 216, brk 12 214, madvise 28 233, mincore 27 232,
msync 26 227, mlock 149 228, munlock 150 229, membarrier 324 283, pkey_alloc 330 289, pkey_free 331 290,
pkey_mprotect 329 288"""
_TIME = """nanosleep 35 101, clock_nanosleep 230 115, clock_gettime 228 113, clock_getres 229 114,
gettimeofday 96 169, time 201 -, times 100 153, getitimer 36 102, setitimer 38 103, alarm 37 -, pause 34 -,
timer_create 222 107, timer_settime 223 110, timer_gettime 224 108, timer_getoverrun 225 109, timer_delete 226 111"""
_PROCESS = """exit 60 93, exit_group 231 94, wait4 61 260, waitid 247 95, futex 202 98, futex_waitv 449 449,
get_robust_list 274 100, set_robust_list 273 99, set_tid_address 218 96, rseq 334 293, gettid 186 178,
getpid 39 172, getppid 110 173, getpgrp 111 -, getpgid 121 155, getsid 124 156, setpgid 109 154, setsid 112 157,
getuid 102 174, geteuid 107 175, getgid 104 176, getegid 108 177, getresuid 118 148, getresgid 120 150,
getgroups 115 158, getrusage 98 165, getrlimit 97 163, setrlimit 160 164, sysinfo 99 179, uname 63 160,
arch_prctl 158 -, getcpu 309 168, getrandom 318 278, capget 125 90, pidfd_open 434 434, sched_yield 24 124,
sched_getaffinity 204 123, sched_getparam 143 121, sched_getscheduler 145 120, sched_get_priority_max 146 125,
sched_get_priority_min 147 126, sched_rr_get_interval 148 127, getpriority 140 141, rt_sigaction 13 134,
rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigpending 127 136, rt_sigsuspend 130 133, rt_sigtimedwait 128 137,
sigaltstack 131 132, restart_syscall 219 128"""
_WRITE = """creat 85 -, mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35, rename 82 -,
renameat 264 38, renameat2 316 276, link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36, truncate 76 45,
ftruncate 77 46, fallocate 285 47"""
_ATTRIBUTES = "chmod 90 -, fchmod 91 52, fchmodat 268 53, utimensat 280 88, utime 132 -, utimes 235 -, futimesat 261 -"
_FORK = "fork 57 -, vfork 58 -, kill 62 129, tkill 200 130, tgkill 234 131, pidfd_send_signal 424 424"
_BY_ARGUMENT = """open 2 -, openat 257 56, clone 56 220, clone3 435 435, prctl 157 167, socketpair 53 199,
fcntl 72 25, ioctl 16 29, prlimit64 302 261, unshare 272 97, setns 308 268"""
_GIVE_UP = "setresuid 117 147, capset 126 91"

_MACHINES = {"x86_64": (1, 0xC000003E), "aarch64": (2, 0xC00000B7)}  # column above; AUDIT_ARCH
_NEW_NAMESPACES, _CLONE_THREAD = 0x7E020000, 0x10000
_CHANGES_FILES = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
_SET_NAME, _GET_NAME, _SET_SECCOMP, _NAME_MEMORY = 15, 16, 22, 0x53564D41
_SIGNALS_OTHERS = (8, 10, 15)  # fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX
_ASKS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # ioctl: TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIO(N)CLEX

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _JUMP, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x05, 0x06, 0x54
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x50001, 0x50026


class Filter:
    """A filter as the kernel takes it; holds the memory that it lies in."""

    def __init__(self, code: bytes):
        self.code = ctypes.create_string_buffer(code, len(code))
        described = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(self.code))
        self.described = ctypes.create_string_buffer(described, len(described))

    def install(self):
        """Hold this process and its children to it; needs no_new_privs."""
        kernel.prctl(kernel.PR_SET_SECCOMP, 2, ctypes.addressof(self.described))


def program(*, enclosed: bool, write: bool, worker: bool = False) -> Filter:
    """The filter for this machine; OSError where its system calls are not known.

    enclosed: in namespaces, where processes, signals, and modes and times of files (which Landlock leaves to their
    owner) reach nobody else; otherwise threads alone. write: whether files may be changed. worker: also what a worker
    needs to give its programs process numbers and to take rights from them; of no use without rights.
    """
    machine = os.uname().machine
    if machine not in _MACHINES:
        raise OSError(f"system calls of {machine} are not known; wanted one of {', '.join(_MACHINES)}")
    column, architecture = _MACHINES[machine]
    groups = [
        _READ,
        _MEMORY,
        _TIME,
        _PROCESS,
        *[_WRITE] * write,
        *[_FORK, _ATTRIBUTES] * enclosed,
        *[_GIVE_UP] * worker,
    ]
    allowed = sorted(number for group in groups for number in _numbers(group, column).values())
    by_argument = _by_argument(_numbers(_BY_ARGUMENT, column), enclosed, write, worker)
    tree = _tree(_edges(allowed))
    code = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _EPERM), (_LOAD, 0, 0, 0)]
    for position, instruction in enumerate(tree):  # what the tree does not allow goes on behind it
        code.append((_JUMP, 0, 0, len(tree) - position - 1) if instruction == _ELSEWHERE else instruction)
    code += [instruction for block in by_argument for instruction in block]
    return Filter(b"".join(struct.pack("=HBBI", *instruction) for instruction in [*code, (_RETURN, 0, 0, _EPERM)]))


_ELSEWHERE = (_JUMP, 0, 0, -1)


def _numbers(group, column):
    entries = [entry.split() for entry in group.split(",")]
    return {entry[0]: int(entry[column]) for entry in entries if entry[column] != "-"}


def _edges(allowed):
    """Numbers at which the verdict changes: the first of those allowed, the first not, the first again."""
    edges = []
    for number in allowed:
        if edges and edges[-1] == number:
            edges[-1] = number + 1
        else:
            edges += [number, number + 1]
    return edges


def _tree(edges):
    """A search tree over the edges: few comparisons for each number, as the kernel tries them all when it installs."""

    def node(low, high):
        if low == high:
            return [(_RETURN, 0, 0, _ALLOW) if low % 2 else _ELSEWHERE]
        middle = (low + high) // 2
        left, right = node(low, middle), node(middle + 1, high)
        return [(_AT_LEAST, len(left), 0, edges[middle]), *left, *right]

    assert bisect_right(edges, 0) <= 1
    return node(0, len(edges))


def _by_argument(numbers, enclosed, write, worker):
    """Blocks for calls that depend on an argument; each passes over itself for other calls."""
    thread = [(_ANY_BIT, 0, 1, _NEW_NAMESPACES), (_RETURN, 0, 0, _EPERM)]
    thread += [(_RETURN, 0, 0, _ALLOW)] if enclosed else _allow_if((_ANY_BIT, 0, 1, _CLONE_THREAD))
    reading = [(_RETURN, 0, 0, _ALLOW)] if write else _refuse_if((_ANY_BIT, 0, 1, _CHANGES_FILES))
    options = [(_EQUAL, 0, 1, option) for option in (_SET_NAME, _GET_NAME, _SET_SECCOMP, _NAME_MEMORY)]
    new_pids = _allow_if((_EQUAL, 0, 1, kernel.CLONE_NEWPID)) if worker else [(_RETURN, 0, 0, _EPERM)]
    rules = {
        "open": [_argument(1), *reading],
        "openat": [_argument(2), *reading],
        "clone": [_argument(0), *thread],
        "clone3": [(_RETURN, 0, 0, _ENOSYS)],  # its flags lie in memory; the C library then tries clone
        "prctl": [_argument(0), *_allow_if(*options)],
        "socketpair": [_argument(1), (_AND, 0, 0, 0xF), *_allow_if((_EQUAL, 0, 1, 1))],  # streams reach nobody else
        "fcntl": [_argument(1), *_refuse_if(*((_EQUAL, 0, 1, command) for command in _SIGNALS_OTHERS))],
        "ioctl": [_argument(1), *_allow_if(*((_EQUAL, 0, 1, command) for command in _ASKS))],
        "prlimit64": [_argument(0), *_allow_if((_EQUAL, 0, 1, 0))],  # of itself
        "unshare": [_argument(0), *new_pids],
        "setns": [_argument(1), *new_pids],
    }
    named = [(numbers[name], block) for name, block in rules.items() if name in numbers]
    return [[(_EQUAL, 0, len(block), number), *block] for number, block in named]


def _argument(index):
    return (_LOAD, 0, 0, 16 + 8 * index)


def _allow_if(*tests):
    return [step for test in tests for step in (test, (_RETURN, 0, 0, _ALLOW))] + [(_RETURN, 0, 0, _EPERM)]


def _refuse_if(*tests):
    return [step for test in tests for step in (test, (_RETURN, 0, 0, _EPERM))] + [(_RETURN, 0, 0, _ALLOW)]
