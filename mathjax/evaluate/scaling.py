"""Scaling laws of data: accuracy against log2 of rows, log2 of distinct paths, or held-out loss (RFT, 2308.01825).

Straight lines by least squares, with Student's t intervals; what the next doubling is expected to bring; and the
paper's counts of FLOPs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mathjax import plot

AXES = {  # what accuracy is fitted to: how a point's number becomes x, and what one step of x is
    "rows": (math.log2, "doubling"),
    "distinct": (math.log2, "doubling"),
    "loss": (float, "unit"),
}


@dataclass(frozen=True)
class Fit:
    """y = intercept + slope x over `points` points. Intervals are 95%, or None below three points."""

    slope: float
    intercept: float
    r2: float
    points: int
    slope_interval: tuple[float, float] | None
    mean: float  # of x
    spread: float  # sum of squared deviations of x
    deviation: float | None  # standard deviation of y about the line

    def at(self, x: float, coverage: float = 0.95) -> tuple[float, tuple[float, float] | None]:
        """(value at x, interval in which one new measurement there is expected)."""
        value = self.intercept + self.slope * x
        if self.deviation is None:
            return value, None
        width = self.deviation * math.sqrt(1 + 1 / self.points + (x - self.mean) ** 2 / self.spread)
        width *= stats.t.ppf((1 + coverage) / 2, self.points - 2)
        return value, (value - width, value + width)


def fit(xs: Sequence[float], ys: Sequence[float]) -> Fit:
    """The line through some points; ValueError where they are fewer than two, or all have one x."""
    x, y = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    if len(x) != len(y) or len(set(xs)) < 2:
        raise ValueError(f"a line takes two points of different x or more, got x={list(xs)}, y={list(ys)}")
    found, count = stats.linregress(x, y), len(x)
    interval = deviation = None
    if count > 2:
        half = stats.t.ppf(0.975, count - 2) * found.stderr
        interval = (found.slope - half, found.slope + half)
        deviation = math.sqrt(float(np.sum((y - found.intercept - found.slope * x) ** 2)) / (count - 2))
    return Fit(
        slope=float(found.slope),
        intercept=float(found.intercept),
        r2=float(found.rvalue**2),
        points=count,
        slope_interval=interval,
        mean=float(x.mean()),
        spread=float(np.sum((x - x.mean()) ** 2)),
        deviation=deviation,
    )


def laws(points: Sequence[dict]) -> dict:
    """For each of AXES that two points or more have: the line, and what is expected one doubling (or 0.1 of loss) on.

    A point has `accuracy`, in percent, and of `rows`, `distinct` and `loss` what is known. ValueError for a point
    without an accuracy, or with a number of rows or paths that is not positive.
    """
    for place, point in enumerate(points):
        if not isinstance(point.get("accuracy"), int | float):
            raise ValueError(f"point {place}: wanted an accuracy in percent, got {point!r}")
        for name in ("rows", "distinct"):
            if name in point and not point[name] > 0:
                raise ValueError(f"point {place}: {name} must be positive, got {point[name]!r}")
    found = {}
    for name, (scale, step) in AXES.items():
        there = [(scale(point[name]), point["accuracy"]) for point in points if name in point]
        if len({x for x, _ in there}) < 2:
            continue
        line = fit(*zip(*there, strict=True))
        furthest = min(x for x, _ in there) if name == "loss" else max(x for x, _ in there)
        x = furthest - 0.1 if name == "loss" else furthest + 1
        value, interval = line.at(x)
        found[name] = {
            "slope": line.slope,
            "slope_interval": line.slope_interval,
            "per": step,
            "intercept": line.intercept,
            "r2": line.r2,
            "points": line.points,
            "next": {name: x if name == "loss" else 2**x, "accuracy": value, "interval": interval},
        }
    return found


def train_flops(parameters: float, context: float, samples: float) -> float:
    """FLOPs of training on `samples` sequences of `context` tokens: 6 for each parameter and token."""
    return 6 * parameters * context * samples


def forward_flops(parameters: float, layers: int, context: float, width: int) -> float:
    """FLOPs of a forward pass, a token: 2 for each parameter outside the embedding, and attention's."""
    return 2 * parameters + 2 * layers * context * width


def table(found: dict) -> str:
    """The laws for a terminal."""
    lines = [("accuracy by", "points", "slope", "95% interval", "R2", "next", "expected", "95% interval")]
    for name, law in found.items():
        ahead = law["next"]
        lines.append(
            (
                f"{name}, per {law['per']}",
                f"{law['points']}",
                f"{law['slope']:+.2f}",
                _interval(law["slope_interval"]),
                f"{law['r2']:.3f}",
                f"{ahead[name]:,.4g}",
                f"{ahead['accuracy']:.1f}",
                _interval(ahead["interval"]),
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines)


def draw(points: Sequence[dict], name: str) -> str:
    """Accuracy against one of AXES as SVG: the points by their `series`, and the line of each."""
    scale, _ = AXES[name]
    series: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        if name in point:
            series.setdefault(str(point.get("series", "")), []).append((scale(point[name]), point["accuracy"]))
    lines = {}
    for label, found in series.items():
        if len({x for x, _ in found}) > 1:
            line = fit(*zip(*found, strict=True))
            lines[label] = line.slope, line.intercept
    across = f"log2 of {name}" if scale is math.log2 else f"held-out {name}"
    return plot.svg(series, across=across, up="accuracy, %", lines=lines)


def _interval(pair):
    return "" if pair is None else f"{pair[0]:.2f} – {pair[1]:.2f}"
