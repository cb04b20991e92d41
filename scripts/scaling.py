"""Scaling laws of measured runs: accuracy against rows, distinct paths and held-out loss, and what more would bring.

    python scripts/scaling.py --points=points.jsonl [--output=DIR]

A line of the input is a run: {"accuracy": 41.7, "rows": 47000, "distinct": 5.25, "loss": 1.8, "series": "7B"}, accuracy
in percent, of the others what is known. Each series gets its table; DIR receives scaling.json, and an SVG of each law.

Exit status: 0 done, 2 the command line or the input is wrong.
"""

import json
import pathlib
import sys

from absl import app, flags

from mathjax import files
from mathjax.evaluate import scaling

_POINTS = flags.DEFINE_string("points", None, "the measured runs")
_OUTPUT = flags.DEFINE_string("output", None, "a folder for the laws and their plots")


def main(arguments):
    if len(arguments) > 1:
        return _wrong(f"not understood: {' '.join(arguments[1:])}; see --help")
    try:
        points = _read(_POINTS.value)
        series = dict.fromkeys(str(point.get("series", "")) for point in points)
        laws = {name: scaling.laws([p for p in points if str(p.get("series", "")) == name]) for name in series}
    except (OSError, ValueError) as error:
        return _wrong(str(error))
    for name, found in laws.items():
        print(f"{name}\n{scaling.table(found)}\n" if name else f"{scaling.table(found)}\n")
    if _OUTPUT.value:
        folder = pathlib.Path(_OUTPUT.value)
        with files.whole(folder / "scaling.json") as file:
            file.write(json.dumps({"points": points, "laws": laws}, indent=2).encode() + b"\n")
        for axis in {axis for found in laws.values() for axis in found}:
            with files.whole(folder / f"{axis}.svg") as file:
                file.write(scaling.draw(points, axis).encode())
        print(f"laws and plots: {folder}")
    return 0


def _read(path):
    points = []
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), start=1):
        try:
            points.append(json.loads(line))
            scaling.laws(points[-1:])
        except (ValueError, AttributeError) as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
    if not points:
        raise ValueError(f"{path}: wanted a run a line, found none")
    return points


def _wrong(message):
    print(f"scaling: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    flags.mark_flags_as_required(["points"])
    app.run(main)
