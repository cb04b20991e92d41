"""The worker's process: warm, isolated, it forks one child for each program and says what became of it.

It is executed, never forked, by the caller (see worker.py), who sends one frame of settings, then one for each program.
A frame is a length of four bytes and so many bytes. Programs are read by the child that runs them, and what they print
is wiped once it is sent: no later program finds anything of an earlier one in the memory it inherits.
"""

import gc
import json
import os
import signal
import site
import socket
import sys
import time

from mathjax.sandbox import frames, isolation, kernel, preload, program
from mathjax.sandbox.limits import Limits
from mathjax.sandbox.watch import TAIL, Watch


def main(descriptor: int):
    """Serve programs from a socket until it is closed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    control = socket.socket(fileno=descriptor)
    settings = json.loads(frames.receive_frame(control))
    sys.path.extend(settings["packages"])
    limits = Limits(**settings["limits"])
    try:
        paths = [*(path for path in sys.path if os.path.isdir(path)), *settings["paths"]]
        jail = isolation.isolate(settings["level"], control, limits, paths, settings["scratch"])
    except OSError as error:
        _tell(control, missing=error.strerror or str(error))
        return
    for setting in (site.setquit, site.setcopyright, site.sethelper):  # what a fresh interpreter has
        setting()
    sys.argv[:] = [""]
    preload.warm(settings["kind"])
    os.environ.clear()
    _tell(control, missing=None)
    for name in [name for name in sys.modules if name.partition(".")[0] == "mathjax"]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()
    serve(control, jail)


def serve(control: socket.socket, jail: isolation.Jail):
    """Run programs until there are no more; ends at once when the caller does, also within a program."""
    buffers = bytearray(jail.limits.output_bytes + 1), bytearray(2 * TAIL)
    while True:
        try:
            length = frames.LENGTH.unpack(frames.receive(control, frames.LENGTH.size))[0]
        except (EOFError, ConnectionError):
            return
        known = _one(control, length, jail, *buffers)
        jail.clear()
        if not known:
            return


def _one(control, length, jail, printed, said) -> bool:
    """Run one program and send what became of it; False where the caller has gone, or nothing read the program."""
    (out, out_end), (err, err_end) = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
    jail.prepare()
    begun = time.monotonic()
    pid = kernel.fork()
    if not pid:
        program.become(control, length, out_end, err_end, jail)
    os.close(out_end)
    os.close(err_end)
    watch = Watch(control, jail, pid, begun, (out, err), (printed, said))
    try:
        why = watch.until_end()
        jail.kill(pid)
        _, ended, used = os.wait4(pid, 0)
        seconds = time.monotonic() - begun
        if why == "gone" or _unread(control):
            return False
        why = why or watch.rest()
        cpu = used.ru_utime + used.ru_stime
        head = frames.VERDICT.pack(why.encode(), ended, cpu, seconds, watch.length, watch.tail)
        frames.send(control, head, memoryview(printed)[: watch.length], memoryview(said)[: watch.tail])
        return True
    finally:
        watch.wipe()
        watch.close()


def _unread(control):
    """Whether something is left to read although the caller waits for an answer."""
    try:
        return bool(control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False


def _tell(control, **facts):
    frames.send(control, frames.frame(json.dumps(facts).encode()))
