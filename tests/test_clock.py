"""Where the time of a run goes."""

import time

import pytest

from mathjax.train.clock import Clock


def test_time_is_split_into_steps_and_what_lies_between():
    clock = Clock()
    with clock.on("compile"):
        time.sleep(0.1)
    for _ in range(4):
        with clock.on("input"):
            time.sleep(0.05)
        time.sleep(0.05)
    found = clock.take(4, 1.0)
    assert found["compile_seconds"] == pytest.approx(0.1, rel=0.5)
    assert found["seconds_per_step"] == pytest.approx(0.1, rel=0.5)
    assert found["input_share"] == pytest.approx(0.5, abs=0.2)
    assert found["goodput"] == pytest.approx(4 * found["seconds_per_step"] / found["seconds"])
    assert "compile_seconds" not in clock.take(1, 1.0)


def test_lost_steps_and_earlier_starts_lower_the_goodput():
    clock = Clock()
    clock.went_on(before=10.0, counted=5.0)
    time.sleep(0.1)
    found = clock.take(10, 0.5)
    steps = 10 * found["seconds_per_step"]
    assert found["seconds"] == pytest.approx(10 + steps, abs=0.05)
    assert found["goodput"] == pytest.approx((5 + steps / 2) / found["seconds"], abs=0.01)


def test_what_was_taken_back_does_not_count():
    clock = Clock()
    time.sleep(0.1)
    clock.take(10, 1.0)
    clock.went_back(0.0)
    time.sleep(0.1)
    found = clock.take(10, 1.0)
    assert found["goodput"] == pytest.approx(0.5, abs=0.1)
