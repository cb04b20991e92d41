"""The order of records: every one in every epoch, in proportion, and the same everywhere."""

import collections
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathjax.data.stream import LONGEST, Stream, interleaved, key, shares, shuffled

WEIGHTS = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=6)


@given(st.integers(1, 3000), st.integers(0, 2**63), st.integers(0, 1000))
def test_a_shuffle_is_a_permutation(size, seed, epoch):
    found = shuffled(np.arange(size), size, key(np.full(size, epoch), seed, 0))
    assert sorted(found.tolist()) == list(range(size))


@pytest.mark.parametrize("size", [2, 3, 4])
def test_small_permutations_are_all_about_equally_likely(size):
    seeds = 6000
    keys = key(np.arange(seeds), 1)
    found = np.stack([shuffled(np.full(seeds, i), size, keys) for i in range(size)], axis=1)
    counts = collections.Counter(map(tuple, found.tolist()))
    expected = seeds / math.factorial(size)
    assert len(counts) == math.factorial(size)
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < {2: 11, 3: 21, 4: 50}[size]  # a true shuffle stays below in 999 of 1000 cases


def test_a_shuffle_leaves_no_trace_of_the_order():
    size = 100_000
    found = shuffled(np.arange(size), size, key(np.zeros(size, np.int64), 5))
    assert abs(np.corrcoef(np.arange(size), found)[0, 1]) < 0.015
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.015
    assert abs(np.mean(np.abs(np.diff(found))) / size - 1 / 3) < 0.01


def test_the_order_is_the_same_on_every_machine():
    sources, indices = Stream([10, 1000], [1, 3], seed=7).at(0, 12)
    assert sources.tolist() == [1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1]
    assert indices.tolist() == [179, 1, 787, 446, 764, 0, 229, 368, 359, 8, 822, 552]
    assert Stream([100_000], [1], seed=7).at(0, 5)[1].tolist() == [63910, 20258, 44350, 37957, 2548]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=4), st.data())
def test_any_part_of_the_stream_is_found_by_its_place(sizes, data):
    weights = data.draw(st.lists(st.sampled_from([1, 2, 0.5]), min_size=len(sizes), max_size=len(sizes)))
    stream = Stream(sizes, weights, seed=data.draw(st.integers(0, 9)))
    start, count = data.draw(st.integers(0, 300)), data.draw(st.integers(1, 100))
    whole = np.stack(stream.at(0, 400))
    assert np.array_equal(np.stack(stream.at(start, count)), whole[:, start : start + count])


@given(st.integers(1, 40), st.integers(0, 9), st.integers(0, 5))
def test_an_epoch_gives_each_record_once(size, seed, epoch):
    _, indices = Stream([size], [1.0], seed).at(epoch * size, size)
    assert sorted(indices.tolist()) == list(range(size))


def test_every_epoch_of_every_source_has_an_order_of_its_own():
    stream = Stream([1000, 1000], [1, 1], seed=0)
    sources, indices = stream.at(0, 6000)
    orders = [indices[sources == source][epoch * 1000 :][:1000] for source in (0, 1) for epoch in range(3)]
    orders.append(Stream([1000], [1], seed=1).at(0, 1000)[1])
    for one, other in itertools.combinations(orders, 2):
        assert np.mean(one == other) < 0.02


@pytest.mark.parametrize(
    ("weights", "counts"),
    [
        ([1.0], [1]),
        ([2, 2], [1, 1]),
        ([0.25, 0.75], [1, 3]),
        ([0.3, 0.7], [3, 7]),
        ([1.5, 2, 2.5], [3, 4, 5]),
        ([1e-9, 1], [1, LONGEST - 1]),
        ([1 / 3, 1], [16384, 49152]),
        ([1, 1e-9, 1e-9, 1], [32767, 1, 1, 32767]),
    ],
)
def test_weights_are_whole_numbers(weights, counts):
    assert shares(weights) == counts


@given(WEIGHTS)
def test_weights_are_kept_as_exactly_as_the_pattern_is_long(weights):
    counts = shares(weights)
    total = sum(map(Fraction, weights))
    assert sum(counts) <= LONGEST
    for weight, count in zip(weights, counts, strict=True):
        assert count >= 1
        assert abs(count / sum(counts) - weight / total) <= len(weights) / LONGEST


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_sources_come_evenly(counts):
    pattern = interleaved(counts)
    assert np.bincount(pattern, minlength=len(counts)).tolist() == counts
    for source, count in enumerate(counts):
        ahead = np.cumsum(pattern == source) - np.arange(1, len(pattern) + 1) * count / len(pattern)
        assert np.abs(ahead).max() <= max(1, len(counts) / 2)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=3), st.integers(0, 500))
def test_what_is_drawn_before_a_place_is_counted(sizes, place):
    stream = Stream(sizes, [1, 2, 5][: len(sizes)], seed=0)
    sources, _ = stream.at(0, place)
    assert stream.drawn(place) == np.bincount(sources, minlength=len(sizes)).tolist()


def test_places_far_out_are_found():
    sources, indices = Stream([3, 7], [1, 1], seed=0).at(10**12, 1000)
    assert np.bincount(sources).tolist() == [500, 500]
    assert indices[sources == 1].max() == 6
