"""Hostile programs: each is ended or fails, the next program finds nothing of it, and the host is as it was.

A program that gets what it may not have prints HARM. `{secret}` is a file of the host that everybody may read and
write, `{folder}` the folder that it lies in, `{port}` where the host listens, `{pid}` the process of the test.
"""

import concurrent.futures
import os
import pathlib
import re
import socket
import tempfile

import pytest

from mathjax.sandbox import Limits, Sandbox

PROBE = """
import builtins, decimal, fractions, os, random, signal, sys, threading
assert os.listdir() == [] and not os.environ and threading.active_count() == 1
assert decimal.getcontext().prec == 28 and sys.getrecursionlimit() == 1000
assert builtins.print.__name__ == 'print' and builtins.sum([1, 2]) == 3 and len.__name__ == 'len'
assert not hasattr(builtins, 'evil') and not hasattr(fractions, 'evil') and 'evil' not in sys.modules
assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL and os.umask(0o22) == 0o22
assert sys.stdout is sys.__stdout__
print(random.random(), 6 * 7)
"""
FORK = "import os\nfor _ in range(3):\n    if os.fork() == 0: os.setsid()\n"
C = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"

# Category, program, statuses that are right (None: any), and whether it needs the file system closed to reads.
HOSTILE = [
    ("time", "while True: pass", "timeout"),
    ("time", "import time; time.sleep(1000)", "timeout"),
    ("time", "print(len(str(9**9**9)))", "timeout memory"),
    ("time", "import re; re.match(r'(a+)+$', 'a' * 60 + 'b')", "timeout"),
    ("time", "import signal\nfor n in set(range(1, 32)) - {9, 19}: signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
     "timeout"),
    ("time", "import itertools; sum(itertools.count())", "timeout"),
    ("time", "import threading\nwhile True: threading.Thread(target=lambda: sum(range(10**9))).start()", None),
    ("memory", "x = bytearray(2**40)", "memory"),
    ("memory", "x = ['a']\nwhile True: x += x", "memory timeout"),
    ("memory", "import mmap\nx = []\nwhile True: m = mmap.mmap(-1, 2**24); m.write(b'x' * 2**24); x.append(m)", None),
    ("memory", "x = ()\nwhile True: x = (x, x, bytes(10**6))", "memory timeout"),
    ("memory", "int('9' * 10**9)", "memory error timeout"),
    ("memory", f"{FORK}x = b'x' * 2**29\nimport time; time.sleep(9)", None),
    ("output", "while True: print('flood')", "output"),
    ("output", "import os\nwhile True: os.write(2, b'flood' * 999)", "output"),
    ("output", "print('x' * 10**7)", "output"),
    ("output", f"{FORK}while True: os.write(1, b'flood')", None),
    ("output", "import os; os.close(1); print('x')", "error"),
    ("output", "import os, fcntl; fcntl.fcntl(1, 4, 2048)\nfor _ in range(10**6): os.write(1, b'x')", None),
    ("fs", "open('{secret}', 'a').write('evil'); print('HARM')", "error"),
    ("fs", "import os; os.remove('{secret}'); print('HARM')", "error"),
    ("fs", "import os; os.rename('{secret}', 'evil'); print('HARM')", "error"),
    ("fs", "import os; os.chmod('{secret}', 0); print('HARM')", "error"),
    ("fs", "import os; os.fchmod(os.open(os.__file__, 0), 0o644); print('HARM')", "error"),
    ("fs", "import os; os.chmod('/dev/null', 0o666); print('HARM')", "error"),
    ("fs", "import os; os.utime('{secret}', (1, 1)); print('HARM')", "error"),
    ("fs", "import os; os.link('{secret}', 'evil'); open('evil', 'a').write('evil'); print('HARM')", "error"),
    ("fs", "import os; os.symlink('{secret}', 'evil'); open('evil', 'a').write('evil'); print('HARM')", "error"),
    ("fs", "open('{folder}/evil', 'w'); print('HARM')", "error"),
    ("fs", "import os; open(os.__file__, 'a'); print('HARM')", "error"),
    ("fs", "open('/dev/shm/evil', 'w').write('x')", None),
    ("fs", "i = 0\nwhile True: open(f'evil{i}', 'wb').write(bytes(2**20)); i += 1", None),
    ("fs", "import os\nwhile True: os.mkdir('evil'); os.chdir('evil')", None),
    ("fs", "import os; os.mkdir('evil'); open('evil/a', 'w'); os.chmod('evil', 0); os.chmod('.', 0)", None),
    ("fs", "import os; os.mkfifo('evil'); os.mknod('evil2', 0o60666, 2048); print('HARM')", "error"),
    ("secret", "print(open('{secret}').read(), 'HARM')", "error", "closed"),
    ("secret", "print(open('/etc/passwd').read(), 'HARM')", "error", "closed"),
    ("secret", "import os; print(os.listdir('{folder}'), 'HARM')", "error", "closed"),
    ("secret", "import glob; print('HARM' if glob.glob('/root/*') + glob.glob('/home/*/*') else '')", None, "closed"),
    ("secret", "print(open('/proc/{pid}/environ').read(), 'HARM')", "error", "closed"),
    ("network", "import socket; socket.create_connection(('127.0.0.1', {port}), 1); print('HARM')", "error"),
    ("network", "import socket; socket.socket(socket.AF_INET, 2).bind(('', 0)); print('HARM')", "error"),
    ("network", "import socket; socket.socket(socket.AF_UNIX).bind('\\\\0evil'); print('HARM')", "error"),
    ("network", "import socket; print(socket.getaddrinfo('example.com', 80), 'HARM')", "error"),
    ("network", "import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\nprint('HARM')", "error"),
    ("process", "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", None),
    ("process", "import os; os.execv('/bin/sh', ['sh', '-c', 'echo HARM'])", "error"),
    ("process", "import subprocess; print(subprocess.run(['/bin/echo', 'HARM'], capture_output=True).stdout)", "error"),
    ("process", "import os; os.system('echo HARM')", None),
    ("process", f"{FORK}import time; time.sleep(0.5); open('evil', 'w'); os.write(1, b'late')", None),
    ("process", f"{C}print('HARM' if libc.unshare(0x10000000) == 0 else 'no')", "ok"),
    ("process", f"{C}print('HARM' if libc.memfd_create(b'evil', 0) >= 0 else 'no')", "ok"),
    ("process", f"{C}print('HARM' if libc.syscall(425, 8, bytes(120)) >= 0 else 'no')", "ok"),
    ("process", f"{C}print('HARM' if libc.shmget(77, 4096, 0o1666) >= 0 else 'no')", "ok"),
    ("kill", "import os, signal\nos.kill(os.getppid() or 1, signal.SIGTERM)", None),
    ("kill", "import os\nfor pid in set(range(2, 40000)) - {os.getpid()}:\n    try: os.kill(pid, 9); print('HARM')\n"
     "    except OSError: pass", None),
    ("kill", "import os; os.kill({pid}, 9); print('HARM')", "error"),
    ("kill", "import os; os.kill(-1, 9)", None),
    ("kill", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", None),
    ("kill", "import resource; resource.prlimit({pid}, resource.RLIMIT_CPU, (1, 1)); print('HARM')", "error"),
    ("kill", "import fcntl as f, os; r, w = os.pipe(); f.fcntl(r, 8, {pid}); f.fcntl(r, 10, 9); print('HARM')",
     "error"),
    ("kill", f"{C}print('HARM' if libc.ptrace(16, {{pid}}, 0, 0) == 0 else 'no')", "ok"),
    ("proc", "import os; print('HARM' if any(n.isdigit() for n in os.listdir('/proc')) else '')", None, "closed"),
    ("proc", f"{C}print('HARM' if libc.mount(b'none', b'.', b'tmpfs', 0, None) == 0 else 'no')", "ok"),
    ("proc", "import os; os.chroot('.'); print('HARM')", "error"),
    ("proc", "import os; os.setuid(0); print('HARM')", "error"),
    ("proc", "import socket; socket.sethostname('evil'); print('HARM')", "error"),
    ("proc", "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); print('HARM')", "error"),
    ("proc", f"{C}print('HARM' if libc.setgroups(0, None) == 0 or libc.setgid(0) == 0 else 'no')", "ok"),
    ("protocol", "import os\nfor fd in range(3, 256):\n    try: os.write(fd, b'\\\\0' * 64); print('HARM')\n"
     "    except OSError: pass", "ok"),
    ("protocol", "import os\nfor fd in range(3, 256):\n    try: os.read(fd, 1); print('HARM')\n"
     "    except OSError: pass", "ok"),
    ("protocol", "import sys\nf = sys._getframe()\nwhile f:\n    for v in f.f_locals.values():\n"
     "        if type(v).__name__ == 'socket': v.send(b'ok' * 99); print('HARM')\n    f = f.f_back", "error"),
    ("protocol", "import os; os.closerange(0, 256); raise SystemExit(0)", None),
    ("protocol", "import os; os._exit = lambda code: None; os.write = None; del os.close; 1 / 0", "error"),
    ("state", "import builtins; builtins.print = builtins.sum = builtins.len = None; builtins.evil = 1", "ok"),
    ("state", "import decimal, fractions, sys\ndecimal.getcontext().prec = 2; fractions.evil = 1\n"
     "sys.setrecursionlimit(50); sys.modules['evil'] = sys", "ok"),
    ("state", "import os, random, signal\nos.environ['evil'] = '1'; os.umask(0); random.seed(5)\n"
     "signal.signal(15, signal.SIG_IGN); open('evil', 'w')", None),
    ("state", "import sys, io; sys.stdout = sys.__stdout__ = io.StringIO(); print('lost')", "ok"),
    ("crash", "import ctypes; ctypes.string_at(1)", "killed"),
    ("crash", "import sys\nsys.setrecursionlimit(10**8)\ndef f(): f()\nf()", "killed memory timeout"),
    ("crash", "import os; os.abort()", "killed"),
    ("crash", "x = ()\nfor _ in range(10**6): x = (x,)\nprint(hash(x))", None),
    ("crash", "(lambda: 0).__code__.replace(co_code=bytes([255, 255] * 9)); exec((lambda: 0).__code__.replace("
     "co_code=bytes([100, 255] * 9)))", None),
    ("exit", "import os; os._exit(0)", "ok"),
    ("exit", "import os; print('lost'); os._exit(7)", "error"),
    ("exit", "raise BaseException('out')", "error"),
    ("exit", "raise KeyboardInterrupt", "error"),
    ("exit", "class E(Exception):\n    def __str__(self): raise E\nraise E", "error"),
    ("exit", "class E(SystemExit):\n    code = property(lambda self: 1 / 0)\nraise E", "error"),
    ("exit-hook", "import atexit\n@atexit.register\ndef f():\n    while True: pass", "timeout"),
    ("exit-hook", "import atexit; atexit.register(lambda: 1 / 0)", None),
    ("exit-hook", "import threading\ndef f():\n    while True: pass\nthreading.Thread(target=f).start()", "timeout"),
    ("exit-hook", "import sys\nclass S:\n    closed = False\n    def flush(self):\n        while True: pass\n"
     "sys.stdout = S()", "timeout"),
    ("stdin", "input()", "error"),
    ("stdin", "import sys; print('HARM' if sys.stdin.read() else 'empty')", "ok"),
    ("stdin", "import os; print('HARM' if os.read(0, 1) else 'empty')", "ok"),
]  # fmt: skip


@pytest.fixture(scope="module")
def abused():
    """Level to what became of every hostile program and of the probe after it, and what the host looks like then."""
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as server:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        secret = folder / "secret"
        secret.write_text("secret")
        secret.chmod(0o666)
        facts = dict(secret=secret, folder=folder, port=server.getsockname()[1], pid=os.getpid())
        found = {}
        with concurrent.futures.ThreadPoolExecutor() as threads:
            running = {level: threads.submit(_abuse, level, facts) for level in ("namespaces", "landlock", "seccomp")}
            found = {level: future.result() for level, future in running.items()}
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has called
            server.accept()
        host = [path.name for path in folder.iterdir()], secret.read_text(), oct(secret.stat().st_mode)
        yield found, host


def _abuse(level, facts):
    """One worker, so that every probe comes after its program in the same place."""
    programs = []
    for case in HOSTILE:
        text = case[1]
        for name, value in facts.items():
            text = text.replace("{" + name + "}", str(value))
        programs += [text.replace("\\\\", "\\"), PROBE]
    try:
        with Sandbox(1, Limits(wall_seconds=0.6, output_bytes=2**16), level=level) as sandbox:
            outcomes = sandbox.run([PROBE, *programs])
    except RuntimeError as error:
        return str(error)
    return outcomes[0], list(zip(outcomes[1::2], outcomes[2::2], strict=True))


@pytest.mark.parametrize("level", ["namespaces", "landlock", "seccomp"])
@pytest.mark.parametrize("index", range(len(HOSTILE)), ids=lambda i: f"{HOSTILE[i][0]}-{i}")
def test_a_hostile_program_is_contained(abused, level, index):
    found, _ = abused
    if isinstance(found[level], str):
        pytest.skip(found[level])
    if level == "seccomp" and len(HOSTILE[index]) > 3:
        pytest.skip("this level does not close the file system to reads")
    fresh, pairs = found[level]
    outcome, probe = pairs[index]
    said = (HOSTILE[index][1], outcome.status, outcome.printed[:200], outcome.error)
    assert "HARM" not in outcome.printed, said
    assert HOSTILE[index][2] is None or outcome.status in HOSTILE[index][2].split(), said
    assert outcome.seconds < 5, said
    assert (probe.status, probe.printed) == ("ok", fresh.printed), (said, probe)


def test_the_host_is_as_it_was(abused):
    assert abused[1] == (["secret"], "secret", oct(0o100666))
    assert not re.findall("evil", " ".join(os.listdir("/tmp") + os.listdir("/dev/shm")))


def test_there_are_hostile_programs_of_every_category():
    assert len(HOSTILE) >= 60
    assert len({case[0] for case in HOSTILE}) == 15
