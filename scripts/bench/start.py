"""From the start of a training process to the end of its first step: the first time, and when it is started again.

    python scripts/bench/start.py [--model=SMOLLM2_135M] [--rows=2] [--length=128] [--times=1]

Compiled programs are kept in a folder made for the purpose. The first start finds nothing there; the second resumes
the run that the first one saved and left, as after an interruption. Both are real processes of scripts/train.py on the
same made records; the seconds are by the clock, from the start of the process to the line of the first step.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from absl import app, flags

from mathjax import records

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
MODELS = ["QUICKSTART", "SMOLLM2_135M"]
RECIPE = '''"""A few steps on sums."""

from mathjax import presets
from mathjax.config import Data, Optimizer, Source, Train


def get_config():
    return Train(
        model=presets.{model},
        data=Data(sources=[Source(path={path!r})], rows={rows}, length={length}),
        optimizer=Optimizer(peak=1e-4),
        steps=1_000_000,
        log_every=1,
        save_every=1_000_000,
        dtype="float32",
    )
'''

_MODEL = flags.DEFINE_enum("model", "QUICKSTART", MODELS, "the shape of the model")
_ROWS = flags.DEFINE_integer("rows", 32, "of a batch", lower_bound=1)
_LENGTH = flags.DEFINE_integer("length", 64, "of a row, in tokens", lower_bound=1)
_TIMES = flags.DEFINE_integer("times", 1, "how often both are measured", lower_bound=1)


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{argv[1]!r} is not expected; see {argv[0]} --help")
    for _ in range(_TIMES.value):
        with tempfile.TemporaryDirectory() as folder:
            first, again = measure(pathlib.Path(folder))
        row = {"model": _MODEL.value, "rows": _ROWS.value, "length": _LENGTH.value, "first": first, "again": again}
        print(json.dumps({name: round(value, 2) if isinstance(value, float) else value for name, value in row.items()}))
        print(f"first step after {first:.1f} s, and after {again:.1f} s when started again: {again / first:.2f} of it")


def measure(folder):
    """Seconds to the first step: of a first start, and of a second one."""
    path, recipe = folder / "sums.jsonl", folder / "recipe.py"
    rows = [records.Record(question=f"{i}+{i}=", solution=str(2 * i), style="arithmetic") for i in range(2000)]
    records.write(path, rows)
    recipe.write_text(RECIPE.format(model=_MODEL.value, path=str(path), rows=_ROWS.value, length=_LENGTH.value))
    return [first_step(recipe, folder) for _ in range(2)]


def first_step(recipe, folder):
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    lines = folder / "run" / "metrics.jsonl"
    before = count(lines)
    begun = time.perf_counter()
    command = [sys.executable, SCRIPTS / "train.py", f"--config={recipe}", f"--workdir={folder / 'run'}"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while count(lines) == before:
        if process.poll() is not None:
            sys.exit(f"the training ended:\n{process.communicate()[0]}")
        time.sleep(0.02)
    seconds = time.perf_counter() - begun
    process.send_signal(signal.SIGTERM)
    process.communicate()
    row = json.loads(lines.read_text().splitlines()[before])
    told = ("start_seconds", "compile_seconds", "seconds_per_step")
    print(f"{seconds:.1f} s, of which {', '.join(f'{name} {row[name]:.1f}' for name in told)}", flush=True)
    return seconds


def count(path):
    return len(path.read_bytes().splitlines()) if path.exists() else 0


if __name__ == "__main__":
    app.run(main)
