"""What RFT came to over several seeds: `SEEDS="1 2 3" bash scripts/rft.sh DIR` ends with this.

    python scripts/rft_seeds.py DIR

DIR holds a folder `seed-N` of each story. Prints how right the models of both trainings are, by seed and in the mean,
with Student's 95% interval of the difference over the seeds, and how many distinct paths k samples give; writes all of
it to DIR/seeds.json.
"""

import argparse
import json
import math
import pathlib
import sys

from scipy import stats

from mathjax import files
from mathjax.evaluate import statistics, votes

MODELS = ("rft", "sft")


def interval(values: list[float]) -> tuple[float, float]:
    """Student's 95% interval of a mean: what the seeds, each with questions of its own, say of any further one."""
    mean, n = sum(values) / len(values), len(values)
    if n < 2:
        return -math.inf, math.inf
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    reach = float(stats.t.ppf(0.975, n - 1)) * deviation / math.sqrt(n)
    return mean - reach, mean + reach


def summarise(folder: pathlib.Path) -> dict:
    """All that is told of the stories in a folder; FileNotFoundError where one of them has no end."""
    seeds = sorted(folder.glob("seed-*"), key=lambda path: int(path.name.removeprefix("seed-")))
    if not seeds:
        raise FileNotFoundError(f"{folder}: wanted folders seed-1, seed-2, .. of rft.sh, found none")
    right = {how: [[_right(seed / name / how) for name in MODELS] for seed in seeds] for how in ("greedy", "votes")}
    curves = [_curve(seed / "rejection" / "report.json") for seed in seeds]
    told = {"seeds": [seed.name for seed in seeds], "curves": curves}
    return told | {how: _compared(pairs) for how, pairs in right.items()}


def table(told: dict) -> str:
    """The summary for a terminal."""
    lines = []
    for how, name in (("greedy", "maj1@1"), ("votes", "maj1@k")):
        found = told[how]
        lines.append(f"{name:<10}{'RFT':>8}{'SFT':>8}{'difference':>12}")
        for seed, rft, sft in zip(told["seeds"], found["rft"], found["sft"], strict=True):
            lines.append(f"{seed:<10}{rft:>8.1%}{sft:>8.1%}{100 * (rft - sft):>+12.1f}")
        low, high = (f"{100 * end:+.1f}" for end in found["interval"])
        one, two = (f"{100 * end:+.1f}" for end in found["pooled_interval"])
        mean_rft, mean_sft = (sum(found[model]) / len(found[model]) for model in MODELS)
        lines.append(
            f"{'mean':<10}{mean_rft:>8.1%}{mean_sft:>8.1%}{100 * found['difference']:>+12.1f}  95% over seeds "
            f"{low} to {high}; over all {found['questions']:,} questions {one} to {two}"
        )
        lines.append("")
    lines.append(f"{'k':<10}{'distinct paths a question, its own among them, by seed'}")
    lines += [
        f"{k:<10}" + "".join(f"{curve[k]:>8.2f}" for curve in told["curves"] if k in curve) for k in told["curves"][0]
    ]
    return "\n".join(lines)


def _compared(pairs):
    shares = [[sum(found.values()) / len(found) for found in pair] for pair in pairs]
    if differing := [pair for pair in pairs if pair[0].keys() != pair[1].keys()]:
        raise ValueError(f"both models of a seed are asked the same questions, got {len(differing)} seeds with others")
    counts = {(one, two): 0 for one in (True, False) for two in (True, False)}
    for rft, sft in pairs:
        for question, right in rft.items():
            counts[right, sft[question]] += 1
    gaps = [rft - sft for rft, sft in shares]
    return {
        "rft": [rft for rft, _ in shares],
        "sft": [sft for _, sft in shares],
        "difference": sum(gaps) / len(gaps),
        "interval": interval(gaps),
        "questions": sum(counts.values()),
        "pooled_interval": statistics.paired_difference(*counts.values()),
    }


def _right(folder):
    """Whether each question was answered right: by its one attempt, or by the majority of its attempts."""
    groups: dict[int, list[dict]] = {}
    for path in sorted((folder / "judged").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            groups.setdefault(row["index"], []).append(next(iter(row["verdicts"].values())))
    if not groups:
        raise FileNotFoundError(f"{folder}: wanted judged/*.jsonl of an evaluation, found none")
    winners = {index: votes.majority([one.get("answer") for one in group]).winner for index, group in groups.items()}
    return {index: winner is not None and groups[index][winner]["correct"] for index, winner in winners.items()}


def _curve(path):
    (model,) = json.loads(path.read_text(encoding="utf-8"))["models"].values()
    return {str(row["k"]): row["distinct"] for row in model["curve"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="DIR", help="the folder that holds seed-1, seed-2, ..")
    folder = parser.parse_args().folder
    try:
        told = summarise(folder)
    except (OSError, ValueError) as error:
        print(f"rft_seeds.py: {error}", file=sys.stderr)
        sys.exit(1)
    with files.whole(folder / "seeds.json") as file:
        file.write(json.dumps(told, indent=2).encode() + b"\n")
    print(table(told))


if __name__ == "__main__":
    main()
