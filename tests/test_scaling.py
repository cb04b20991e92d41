"""Scaling laws: the published slopes from the published tables, known slopes, intervals, the paper's FLOPs."""

import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from mathjax.evaluate import scaling

SCRIPT = pathlib.Path(__file__).parents[1] / "scripts" / "scaling.py"

# RFT (2308.01825): pre-training losses, and GSM8K of 7B, 7B-2, 13B, 13B-2, 33B, 65B, 70B-2.
LOSSES = [1.80, 1.75, 1.73, 1.68, 1.62, 1.57, 1.50]
SFT = [35.9, 41.6, 43.0, 50.0, 54.6, 59.3, 63.2]
ICL = [11.0, 14.6, 17.8, 28.7, 35.6, 50.9, 56.8]
FRACTIONS = {  # accuracy of SFT on 1/8, 1/4, 1/2 and all of the data
    "13B-2": ([33.4, 37.5, 45.3, 50.0], 5.8),
    "33B": ([39.3, 44.6, 50.8, 54.6], 5.2),
    "65B": ([46.0, 50.4, 55.6, 59.3], 4.5),
    "70B-2": ([57.8, 57.8, 61.0, 63.2], 1.9),
}
DISTINCT = {  # paths a question, and accuracy, at k = 1, 3, 6, 12, 25, 50, 100
    "7B": ([1.17, 1.44, 1.74, 2.20, 2.93, 3.94, 5.25], [37.6, 39.0, 39.5, 41.6, 40.9, 40.7, 41.7]),
    "7B-2": ([1.19, 1.47, 1.78, 2.23, 2.93, 3.91, 5.19], [43.4, 45.3, 45.6, 45.3, 46.5, 47.0, 47.5]),
    "13B": ([1.15, 1.41, 1.69, 2.11, 2.88, 3.90, 5.26], [42.7, 45.2, 46.8, 48.0, 46.0, 49.4, 49.1]),
    "13B-2": ([1.18, 1.45, 1.76, 2.21, 2.94, 3.94, 5.29], [52.1, 51.9, 52.2, 53.1, 52.6, 54.5, 54.8]),
}


@pytest.mark.parametrize(("accuracy", "slope", "intercept"), [(SFT, -93.0, 204.5), (ICL, -166.4, 307.7)])
def test_the_published_lines_by_loss_are_found(accuracy, slope, intercept):
    line = scaling.fit(LOSSES, accuracy)
    assert line.slope == pytest.approx(slope, rel=0.01) and line.intercept == pytest.approx(intercept, rel=0.01)
    assert line.r2 == pytest.approx(0.98, abs=0.01)
    low, high = line.slope_interval
    assert low < slope < high < 0


@pytest.mark.parametrize("model", FRACTIONS)
def test_the_published_gains_of_a_doubling_are_found(model):
    accuracy, gain = FRACTIONS[model]
    points = [{"rows": 7473 * 2.0**-i, "accuracy": value} for i, value in zip((3, 2, 1, 0), accuracy, strict=True)]
    law = scaling.laws(points)["rows"]
    assert law["slope"] == pytest.approx(gain, abs=0.06)
    assert law["next"]["rows"] == pytest.approx(2 * 7473)
    assert law["next"]["accuracy"] == pytest.approx(np.mean(accuracy) + 2.5 * law["slope"])


@pytest.mark.parametrize("model", DISTINCT)
def test_a_doubling_of_distinct_paths_brings_what_was_published(model):
    points = [{"distinct": d, "accuracy": a} for d, a in zip(*DISTINCT[model], strict=True)]
    assert 1.3 <= scaling.laws(points)["distinct"]["slope"] <= 2.6


def test_a_known_slope_is_in_its_interval_as_often_as_it_says():
    rng, hits, ahead = np.random.default_rng(0), 0, 0
    x = np.arange(8.0)
    for _ in range(600):
        line = scaling.fit(x, 20 + 3 * x + rng.normal(0, 2, 8))
        hits += line.slope_interval[0] <= 3 <= line.slope_interval[1]
        low, high = line.at(8.0)[1]
        ahead += low <= 20 + 24 + rng.normal(0, 2) <= high
    assert 0.92 < hits / 600 < 0.98 and 0.92 < ahead / 600 < 0.98


def test_two_points_make_a_line_without_intervals():
    line = scaling.fit([1.0, 2.0], [10.0, 14.0])
    assert (line.slope, line.intercept, line.slope_interval, line.at(3.0)) == (4.0, 6.0, None, (18.0, None))


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([{"rows": 5}], "point 0: wanted an accuracy"),
        ([{"rows": 0, "accuracy": 1.0}], "rows must be positive, got 0"),
    ],
)
def test_points_that_are_none_are_named(points, message):
    with pytest.raises(ValueError, match=message):
        scaling.laws(points)
    with pytest.raises(ValueError, match="two points of different x"):
        scaling.fit([1.0, 1.0], [2.0, 3.0])


def test_flops_are_the_papers():
    """7B on GSM8K, 3 epochs: 6 N n_ctx N_s; a forward pass of LLaMA-7B at 512 tokens."""
    assert scaling.train_flops(6.74e9, 512, 3 * 7473) == pytest.approx(4.642e17, rel=0.01)
    assert scaling.forward_flops(6.48e9, 32, 512, 4096) == pytest.approx(1.3094e10, rel=0.01)


def test_the_table_and_the_plot_show_every_law():
    points = [
        {"series": name, "distinct": d, "rows": 7473 * d, "accuracy": a}
        for name, pairs in DISTINCT.items()
        for d, a in zip(*pairs, strict=True)
    ]
    told = scaling.table(scaling.laws(points))
    assert "distinct, per doubling" in told and "rows, per doubling" in told and "loss" not in told
    drawn = ET.fromstring(scaling.draw(points, "distinct"))
    kinds = [element.tag.rpartition("}")[2] for element in drawn]
    assert kinds.count("circle") == 28 and kinds.count("path") == 1 + 4


def test_the_door_prints_and_plots_what_was_measured(tmp_path):
    lines = [
        json.dumps({"series": name, "distinct": d, "accuracy": a})
        for name, pairs in DISTINCT.items()
        for d, a in zip(*pairs, strict=True)
    ]
    (tmp_path / "points.jsonl").write_text("\n".join(lines) + "\n")
    command = [sys.executable, SCRIPT, f"--points={tmp_path / 'points.jsonl'}", f"--output={tmp_path / 'out'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.count("distinct, per doubling") == 4
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["distinct.svg", "scaling.json"]
    (tmp_path / "points.jsonl").write_text(lines[0] + '\n{"rows": 3}\n')
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "points.jsonl, line 2: point 0: wanted an accuracy" in done.stderr
