"""Packing: nothing lost, nothing cut, little room left."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathjax.data import pack


def slow_best_fit(sizes, length):
    """The room left in each row, by best-fit decreasing one example at a time."""
    rooms = []
    for size in sorted(sizes, reverse=True):
        fitting = [room for room in rooms if room >= size]
        if fitting:
            rooms.remove(min(fitting))
            rooms.append(min(fitting) - size)
        else:
            rooms.append(length - size)
    return sorted(rooms)


def packed(sizes, length, rows, seed=0):
    return pack.pack(sizes, length, rows, np.random.default_rng(seed).permutation(rows))


def fill(sizes, length, rows):
    return sizes[: len(packed(sizes, length, rows))].sum() / (length * rows)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=60))
def test_rows_that_are_handled_as_one_are_packed_like_one_by_one(sizes):
    runs, left = pack._best_fit(np.bincount(sizes), 20, len(sizes))
    used = np.zeros(len(sizes), int)
    for size, first, count, each in runs:
        used[first : first + count] += size * each
    assert left == 0
    assert sorted(20 - used[used > 0]) == slow_best_fit(sizes, 20)


@pytest.mark.parametrize("way", [pack._best_fit, lambda *a: pack._fullest(*a, {})])
@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=60), rows=st.integers(1, 8))
def test_runs_use_each_example_once_and_no_row_overflows(way, sizes, rows):
    counts = np.bincount(sizes, minlength=21)
    runs, left = way(counts, 20, rows)
    used, placed = np.zeros(rows, int), np.zeros(21, int)
    for size, first, count, each in runs:
        assert 0 <= first < first + count <= rows
        used[first : first + count] += size * each
        placed[size] += count * each
    assert used.max() <= 20
    assert (placed <= counts).all()
    assert left == sum(sizes) - used.sum()


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 99))
def test_a_run_lies_in_its_rows_without_overlap(length, rows, seed):
    sizes = np.random.default_rng(seed).integers(1, length + 1, rows * length + 1)
    found = packed(sizes, length, rows, seed)
    assert sorted(found.order) == list(range(len(found)))
    assert (found.bounds[0], found.bounds[-1]) == (0, len(found))
    for row in range(rows):
        own = slice(found.bounds[row], found.bounds[row + 1])
        assert sizes[found.order[own]].sum() <= length
        assert found.segments[own].tolist() == list(range(1, own.stop - own.start + 1))
        assert list(found.order[own]) == sorted(found.order[own])


def test_a_run_is_the_same_however_much_follows():
    sizes = np.random.default_rng(0).integers(3, 30, 5000)
    one, other = packed(sizes[:300], 64, 40), packed(sizes, 64, 40)
    assert np.array_equal(one.order, other.order)
    assert np.array_equal(one.bounds, other.bounds)


@pytest.mark.parametrize("length", [48, 64, 96, 128, 512])
def test_short_examples_fill_98_percent(length):
    sizes = np.random.default_rng(0).integers(7, 25, 200_000)
    assert fill(sizes, length, 1024) > 0.99


def test_examples_of_odd_sizes_fill_98_percent():
    rng = np.random.default_rng(1)
    sizes = np.where(rng.random(50_000) < 0.15, rng.integers(6, 13, 50_000) * 2, rng.integers(5, 19, 50_000) * 2 + 1)
    assert fill(sizes, 64, 1024) > 0.985


def test_solutions_of_word_problems_fill_98_percent():
    sizes = np.clip(np.random.default_rng(0).normal(200, 70, 20_000), 30, 512).astype(int)
    for length in (512, 1024):
        assert fill(sizes, length, 1024) > 0.99


def test_examples_that_cannot_share_a_row_have_one_each():
    assert len(packed(np.full(100, 40), 64, 10)) == 10


def test_examples_as_long_as_a_row_fill_it():
    assert fill(np.full(100, 64), 64, 10) == 1


def test_a_shuffle_of_the_rows_moves_them_and_nothing_else():
    sizes = np.random.default_rng(0).integers(3, 30, 500)
    plain = pack.pack(sizes, 64, 20, np.arange(20))
    turned = pack.pack(sizes, 64, 20, np.roll(np.arange(20), 1))
    rows = [plain.order[plain.bounds[r] : plain.bounds[r + 1]].tolist() for r in range(20)]
    assert rows[1:] + rows[:1] == [turned.order[turned.bounds[r] : turned.bounds[r + 1]].tolist() for r in range(20)]
