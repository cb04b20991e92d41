"""Solve benchmarks with a checkpoint, and report.

    python scripts/evaluate.py --config=configs/NAME.py [--config.path.to.setting=value] --workdir=DIR

DIR receives report.json and report.html, a page that opens in any browser.
"""

import door

from mathjax import config


def evaluate(job, workdir):
    from mathjax.evaluate import run  # JAX starts here: after the command line was found right

    run.run(job, workdir)


if __name__ == "__main__":
    door.main(__doc__, {config.Evaluate: evaluate})
