"""What a training recipe takes on devices that are not there, compiled ahead of time on this machine.

    python scripts/plan.py --config=configs/NAME.py [--config.path.to.setting=value] --topology=v5e:16x16 [--slices=N]
        [--price=P] [--search[=N]] [--largest] [--json=FILE]

--topology  a TPU slice (v4, v5e, v5p, v6e, tpu7x, with its chips along each axis: v5e:16x16, v5p:4x4x8), for which the
            recipe is compiled (pip install -e '.[plan]'); or so many GPUs (a100, h100, h200, b200: h100:64), by formula
--slices    how many TPU slices, joined by the network of the data center
--price     of a chip-hour, in any currency, to tell the cost
--search    the best of several layouts (mesh, remat, parts) of the same batch: N (3) are compiled
--largest   the most rows that fit in the layout (three compilations or more)
--json      a file for all the numbers

The model's shape is the recipe's; that of a pretrained source is read there, unless presets.PUBLISHED knows it.
"""

import argparse
import json
import os
import pathlib
import sys

os.environ["JAX_PLATFORMS"] = "cpu"  # before JAX starts: the devices planned for are not here

import door

from mathjax import config


def main():
    if {"--help", "-h"} & set(sys.argv[1:]):
        door.main(__doc__, {config.Train: None})
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--topology")
    parser.add_argument("--slices", type=int, default=1)
    parser.add_argument("--price", type=float)
    parser.add_argument("--search", type=int, nargs="?", const=3)
    parser.add_argument("--largest", action="store_true")
    parser.add_argument("--json")
    own, rest = parser.parse_known_args()
    try:
        if own.topology is None:
            raise door.WrongInput("--topology=v5e:16x16, v5p:4x4x8, h100:64 or the like is missing")
        job, _ = door.parse([sys.argv[0], *rest], {config.Train: None})
        _plan(job, own)
    except (door.WrongInput, ValueError, ModuleNotFoundError) as error:
        print(f"plan.py: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, door.WrongInput) else 1)


def _plan(job, own):
    from mathjax.train.plan import plan, report, search, target

    job, found = plan.resolved(job), target.of(own.topology, own.slices)
    made = []
    if own.search:
        pairs = search.search(job, found, own.search, say=_say)
        print(report.table([one for _, one in pairs]), "\n")
        job, best = pairs[0]
        made = [one for _, one in pairs]
    else:
        best = plan.plan(job, found)
        made = [best]
    if own.largest:
        most = search.largest(job, found, say=_say)
        if most:
            job, best = most
            made.insert(0, best)
    print(report.text(best, job, own.price))
    if own.json:
        told = [report.as_dict(one, job, own.price) for one in made]
        pathlib.Path(own.json).write_text(json.dumps(told, indent=2) + "\n")
    if not best.fits:
        sys.exit("plan.py: it does not fit")


def _say(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
