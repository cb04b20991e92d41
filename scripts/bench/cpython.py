"""What CPython itself does with programs that a restricted interpreter has accepted."""

import json
import subprocess
import sys

_CHILD = """
import contextlib, io, json, resource, signal, sys, warnings
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
answers = sys.stdout
for line in sys.stdin:
    signal.alarm(20)
    printed, error = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(json.loads(line), "<program>", "exec"), {"__name__": "__main__"})
        except SyntaxError as broken:
            error = f"{type(broken).__name__}: {broken.msg}"
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}" if str(raised) else type(raised).__name__
    answers.write(json.dumps([printed.getvalue(), error]) + "\\n")
"""


def outcomes(texts: list[str]) -> list[tuple[str, str | None]]:
    """What each of `texts` prints, and type and text of the exception that ends it; in one child, with limits."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    child = subprocess.run([sys.executable, "-c", _CHILD], input=lines, capture_output=True, text=True, check=True)
    return [tuple(json.loads(line)) for line in child.stdout.splitlines()]
