"""Batches: each record whole and once in an epoch, and the same ones from any place, on any number of hosts."""

import collections
import dataclasses
import gc
import itertools
import json
import subprocess
import sys
import threading
import time

import grain
import jax
import numpy as np
import pytest

from mathjax import config, records, tokens
from mathjax.data import encode
from mathjax.data.batch import FIELDS
from mathjax.data.mixture import mixture
from mathjax.model.attention import EMPTY
from mathjax.records import Record

TOKENIZER = tokens.CharacterTokenizer()


def chains(n, operator="+", start=0):
    """Distinct lines of arithmetic of 10 to 30 tokens."""
    rng = np.random.default_rng(start)
    for i in range(start, start + n):
        a, b = (int(rng.integers(10 ** rng.integers(1, 5))) for _ in range(2))
        steps = f"{i + a}-{b}={i + a - b}" if i % 2 else str(i + a)
        yield Record(question=f"{i}{operator}{a}-{b}=" if i % 2 else f"{i}{operator}{a}=", solution=steps)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    records.write(folder / "a.jsonl", chains(3000))
    records.write(folder / "b.jsonl", chains(200, "*", 5000))
    return folder


def data(files, *names, rows=16, length=64, **settings):
    sources = [config.Source(path=str(files / name)) for name in names or ("a.jsonl",)]
    return config.Data(sources=sources, rows=rows, length=length, **settings)


def take(batches, n):
    return list(itertools.islice(batches, n))


def same(one, other):
    return all(np.array_equal(getattr(one, field), getattr(other, field)) for field in FIELDS)


def examples(batch):
    """(ids, weights) of every segment of a batch; nothing but padding elsewhere."""
    empty = batch.segments == 0
    assert (np.diff(empty.astype(int), axis=1) >= 0).all()  # padding comes last
    for field, value in (("tokens", 0), ("targets", 0), ("weights", 0), ("positions", EMPTY)):
        assert (getattr(batch, field)[empty] == value).all()
    begins = batch.positions == 0
    assert np.array_equal(batch.segments, np.where(empty, 0, np.cumsum(begins, axis=1)))
    tokens_, targets, weights, positions = (getattr(batch, f)[~empty] for f in FIELDS if f != "segments")
    edges = [*np.flatnonzero(begins[~empty]).tolist(), len(tokens_)]
    for a, b in itertools.pairwise(edges):
        assert positions[a:b].tolist() == list(range(b - a))
        assert tokens_[a + 1 : b].tolist() == targets[a : b - 1].tolist()
        yield (int(tokens_[a]), *targets[a:b].tolist()), tuple(weights[a:b].tolist())


@pytest.mark.parametrize("objective", ["all", "solution"])
def test_batches_hold_the_records_as_they_are_encoded_one_by_one(files, tmp_path, objective):
    job = data(files, "a.jsonl", "b.jsonl", objective=objective, rows=64, length=300)
    job.sources[1].weight = 0.25
    mixed = mixture(job, TOKENIZER, cache_dir=tmp_path)
    made = take(mixed.batches(), 2 * mixed.per_window)
    end = mixed.window(0)
    end = len(end.packed) + len(mixed.window(len(end.packed)).packed)
    found = [list(records.read(source.path)) for source in job.sources]
    expected = collections.Counter()
    for source, index in zip(*mixed.stream.at(0, end), strict=True):
        ids, weights = encode.example(found[source][index], TOKENIZER, "plain", objective)
        expected[tuple(ids), tuple(weights.tolist())] += 1
    assert collections.Counter(itertools.chain.from_iterable(map(examples, made))) == expected


def test_every_record_comes_once_in_an_epoch(files):
    mixed = mixture(data(files, rows=8), TOKENIZER)
    seen, batches = collections.Counter(), mixed.batches()
    while batches.position // mixed.per_window < 9000:
        seen.update(ids for ids, _ in examples(next(batches)))
        drawn = batches.position // mixed.per_window
        if batches.position % mixed.per_window == 0:
            assert sum(seen.values()) == drawn
            assert set(seen.values()) <= {drawn // 3000, drawn // 3000 + 1}
    assert len(seen) == 3000


@pytest.mark.parametrize("length", [48, 64, 128, 512])
def test_rows_are_98_percent_full(files, length):
    mixed = mixture(data(files, length=length, rows=64), TOKENIZER)
    made = take(mixed.batches(), mixed.per_window)
    fill = np.mean([batch.segments > 0 for batch in made])
    assert fill > 0.98
    assert mixed.describe()["fill"] == pytest.approx(fill)


def test_a_batch_is_as_good_a_sample_as_another(files):
    mixed = mixture(data(files), TOKENIZER)
    made = take(mixed.batches(), mixed.per_window)
    means = [np.mean([len(ids) for ids, _ in examples(batch)]) for batch in made]
    fills = [np.mean(batch.segments > 0) for batch in made]
    assert min(fills) > 0.95
    assert np.std(means) < 1.5
    assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.25


def test_batches_go_on_from_any_position(files):
    mixed = mixture(data(files, rows=300, length=32), TOKENIZER)
    batches, unbroken, positions = mixed.batches(), [], []
    for _ in range(2 * mixed.per_window + 3):
        positions.append(batches.position)
        unbroken.append(next(batches))
    for at in (0, 1, 7, mixed.per_window - 1, mixed.per_window, 2 * mixed.per_window - 2, 2 * mixed.per_window):
        again = mixture(data(files, rows=300, length=32), TOKENIZER).batches(json.loads(json.dumps(positions[at])))
        assert all(map(same, take(again, 3), unbroken[at : at + 3]))


def test_a_position_is_of_what_was_given_not_of_what_was_prepared(files):
    batches = mixture(data(files), TOKENIZER).batches()
    assert batches.position == 0
    first = next(batches)
    time.sleep(0.2)  # enough to prepare some
    assert batches.position == 1
    assert not same(first, next(batches))
    assert batches.position == 2


def test_an_iterator_can_be_set_back(files):
    iterator = iter(mixture(data(files), TOKENIZER))
    take(iterator, 5)
    state = iterator.get_state()
    expected = take(iterator, 3)
    iterator.set_state(state)
    assert all(map(same, take(iterator, 3), expected))
    iterator.close()


@pytest.mark.parametrize("hosts", [2, 4])
def test_hosts_have_the_rows_of_one_batch(files, hosts):
    job = data(files, "a.jsonl", "b.jsonl")
    whole = take(mixture(job, TOKENIZER).batches(3), 70)
    parts = [take(mixture(job, TOKENIZER, process=(i, hosts)).batches(3), 70) for i in range(hosts)]
    for number, batch in enumerate(whole):
        for field in FIELDS:
            joined = np.concatenate([getattr(part[number], field) for part in parts])
            assert np.array_equal(joined, getattr(batch, field))


def test_rows_that_hosts_cannot_share_are_refused(files):
    with pytest.raises(ValueError, match=r"config\.data\.rows=16 must be a multiple of the 3 hosts"):
        mixture(data(files), TOKENIZER, process=(0, 3))


def test_a_cache_changes_no_batch(files, tmp_path):
    job = data(files, "a.jsonl", "b.jsonl")
    plain = take(mixture(job, TOKENIZER).batches(), 4)
    for _ in range(2):
        assert all(map(same, take(mixture(job, TOKENIZER, cache_dir=tmp_path).batches(), 4), plain))


def test_sources_come_by_their_weights(files):
    job = data(files, "a.jsonl", "b.jsonl")
    job.sources[0].weight, job.sources[1].weight = 0.3, 0.1
    mixed = mixture(job, TOKENIZER)
    sources, _ = mixed.stream.at(0, 4000)
    assert np.bincount(sources).tolist() == [3000, 1000]
    window = mixed.window(0)
    assert np.mean(window.sources) == pytest.approx(0.25, abs=1e-3)


def test_seeds_give_orders_of_their_own(files):
    one, other = (next(mixture(data(files, seed=seed), TOKENIZER).batches()) for seed in (0, 1))
    assert np.mean(one.tokens == other.tokens) < 0.5


def test_too_long_is_dropped_and_counted(files):
    lengths = [len(record.question + record.solution) for record in records.read(files / "a.jsonl")]
    limit = sorted(lengths)[1500]
    mixed = mixture(data(files, length=limit), TOKENIZER)
    fits = [length for length in lengths if length <= limit]
    described = mixed.describe()["sources"][0]
    assert described["dropped"] == 3000 - len(fits) > 0
    assert (described["records"], described["tokens"]) == (3000, sum(fits))
    batches, seen = mixed.batches(), set()
    while batches.position // mixed.per_window < len(fits):
        seen.update(ids for ids, _ in examples(next(batches)))
    whole = {tuple(encode.example(r, TOKENIZER, "plain", "all")[0]) for r in records.read(files / "a.jsonl")}
    assert seen == {ids for ids in whole if len(ids) - 1 <= limit}


def test_a_source_of_which_nothing_fits_is_refused(files):
    with pytest.raises(ValueError, match=r"a\.jsonl: none of 3000 records fits into 5 places, the least has"):
        mixture(data(files, length=5), TOKENIZER)


def test_epochs_are_told(files):
    mixed = mixture(data(files, "a.jsonl", "b.jsonl"), TOKENIZER)
    batches = mixed.batches()
    assert [source["epochs"] for source in mixed.describe(0)["sources"]] == [0, 0]
    take(batches, mixed.per_window)
    drawn = batches.position // mixed.per_window
    a, b = (source["epochs"] for source in mixed.describe(batches.position)["sources"])
    assert a * 3000 + b * 200 == pytest.approx(drawn)
    assert b == pytest.approx(15 * a, rel=0.01)


def test_digests_are_of_the_files(files):
    job = data(files, "a.jsonl", "b.jsonl")
    assert mixture(job, TOKENIZER).digests == {s.path: records.digest(s.path) for s in job.sources}


@pytest.mark.parametrize("position", [-1, 0.5, "0", None, True])
def test_a_position_that_is_none_is_refused(files, position):
    with pytest.raises(ValueError, match="a position is a whole number from 0 on, got"):
        mixture(data(files), TOKENIZER).batches(position)


def test_a_batch_is_a_tree_of_arrays_for_jax(files):
    batch = next(mixture(data(files), TOKENIZER).batches())
    assert [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(batch)] == [
        ((16, 64), np.dtype(dtype)) for dtype in ("int32", "int32", "float32", "int32", "int32")
    ]
    moved = jax.jit(lambda b: dataclasses.replace(b, weights=b.weights * 2))(batch)
    assert np.array_equal(moved.weights, batch.weights * 2)
    assert np.array_equal(moved.positions, batch.positions)


def test_a_mixture_is_a_grain_dataset(files):
    mixed = mixture(data(files), TOKENIZER)
    assert isinstance(mixed, grain.IterDataset)
    sums = take(mixed.map(lambda batch: int(batch.tokens.sum())), 3)
    assert sums == [int(batch.tokens.sum()) for batch in take(mixed.batches(), 3)]


def test_closed_batches_leave_no_thread(files):
    before = threading.active_count()
    batches = mixture(data(files), TOKENIZER).batches()
    next(batches)
    assert threading.active_count() == before + 1
    batches.close()
    forgotten = mixture(data(files), TOKENIZER).batches()
    next(forgotten)
    del forgotten
    gc.collect()
    assert threading.active_count() == before


def test_a_script_that_ends_amid_batches_ends_in_silence(files):
    code = (
        "import sys\nfrom mathjax import config, tokens\nfrom mathjax.data.mixture import mixture\n"
        "data = config.Data(sources=[config.Source(path=sys.argv[1])], rows=8, length=64)\n"
        "batches = mixture(data, tokens.CharacterTokenizer()).batches()\nnext(batches)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(files / "a.jsonl")], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
