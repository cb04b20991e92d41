"""The child: from a copy of the warm worker to the end of one program."""

import _thread
import atexit
import builtins
import sys
import threading
import traceback
from os import _exit, closerange, dup2, write
from types import ModuleType

from mathjax.sandbox import frames, isolation

_DESCRIPTORS = 1 << 20


def become(control, length: int, output: int, errors: int, jail: isolation.Jail):
    """Read the program from `control`, give up everything else, run it, and end. Never returns."""
    code = 1
    try:
        text = frames.receive(control, length).decode()
        dup2(output, 1)
        dup2(errors, 2)
        jail.confine()
        closerange(3, _DESCRIPTORS)
        code = _run(text)
    except BaseException as error:
        _report(error)
    finally:
        _exit(code)


def _run(text):
    """Exit status of a program run as a fresh interpreter would."""
    standard = sys.stdout
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__builtins__ = builtins
    code = 0
    try:
        exec(compile(text, "<program>", "exec", dont_inherit=True), main.__dict__)
    except SystemExit as stop:
        code = _status(stop.code)
    except BaseException as error:
        code = 1
        _report(error)
    try:
        if _thread._count():
            threading._shutdown()  # waits for them
        if atexit._ncallbacks():
            atexit._run_exitfuncs()
        for stream in {sys.stdout, standard}:
            if stream is not None and not stream.closed:
                stream.flush()
    except BaseException as error:
        code = code or 1
        _report(error)
    return code


def _status(code):
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    write(2, f"{code}\n".encode(errors="replace"))
    return 1


def _report(error):
    """Write the last line of the traceback, whatever the exception does about it."""
    try:
        line = "MemoryError" if isinstance(error, MemoryError) else traceback.format_exception_only(error)[-1]
        write(2, f"\n{' '.join(line.split())}\n".encode(errors="replace"))
    except BaseException:
        write(2, b"\nan exception that cannot be shown\n")
