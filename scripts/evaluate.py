"""Solve benchmarks with a model, or judge what another one answered, and report.

    python scripts/evaluate.py --config=configs/NAME.py [--config.path.to.setting=value] --workdir=DIR

DIR receives report.json and report.html, a page that opens in any browser, the answers in attempts/ and what was
judged in judged/. Stopped and started again, it goes on where it was. Two such folders are compared by

    python scripts/evaluate.py --compare FIRST SECOND [--workdir=DIR]

which prints the differences with their intervals, and writes compare.json and compare.html into DIR.
"""

import argparse
import sys

import door

from mathjax import config


def evaluate(job, workdir):
    from mathjax.evaluate import run  # JAX starts here: after the command line was found right

    run.run(job, workdir)


def compare(arguments):
    parser = argparse.ArgumentParser(description="Compare two evaluations.")
    parser.add_argument("--compare", nargs=2, metavar=("FIRST", "SECOND"), required=True, help="folders of evaluations")
    parser.add_argument("--workdir", metavar="DIR", help="for compare.json and compare.html")
    given = parser.parse_args(arguments)
    from mathjax.evaluate import compare

    try:
        compare.run(*given.compare, given.workdir)
    except (OSError, ValueError) as error:
        print(f"evaluate.py: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    if any(argument.lstrip("-").partition("=")[0] == "compare" for argument in sys.argv[1:]):
        compare(sys.argv[1:])
    else:
        door.main(__doc__, {config.Evaluate: evaluate})
