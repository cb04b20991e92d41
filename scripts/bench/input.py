"""Batches from records that are tokenized already: tokens a second of one process, beside grain's own packing.

    python scripts/bench/input.py [--records='data/*.jsonl'] [--rows=32] [--length=64] [--seconds=20]
    python scripts/bench/input.py --consumed=50000       (tokens a second that a training step takes elsewhere)

By default the records are lines of the quickstart's corpus, made for the purpose, and the rows are the quickstart's.
mathjax gives what a training step is given; grain shuffles and packs (first fit) the same examples, kept in memory as
arrays, without threads of its own, which make it slower. They take turns in one process; seconds are those of the CPU.
Then the quickstart's training step runs on the same batches, by the clock, on all cores.
"""

import dataclasses
import pathlib
import runpy
import sys
import tempfile
import time
from collections import Counter

import grain
import jax
import numpy as np
from absl import app, flags
from grain.experimental import FirstFitPackIterDataset

from data_gen import arithmetic
from mathjax import config, mesh, records, tokens
from mathjax.data.batch import Batch
from mathjax.data.mixture import mixture
from mathjax.train import step

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"

_RECORDS = flags.DEFINE_string(
    "records", None, "a file or glob of records; by default lines of the quickstart's corpus"
)
_LINES = flags.DEFINE_integer("lines", 100_000, "how many lines of it", lower_bound=1)
_ROWS = flags.DEFINE_integer("rows", None, "of a batch; by default the quickstart's", lower_bound=1)
_LENGTH = flags.DEFINE_integer("length", None, "of a row, in tokens; by default the quickstart's", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 20, "how long to measure, both together", lower_bound=1)
_CONSUMED = flags.DEFINE_float("consumed", 0, "tokens a second of a training step; 0: measure the quickstart's")
_STEPS = flags.DEFINE_integer("steps", 20, "timed training steps", lower_bound=1)

TURN = 0.25  # seconds


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{argv[1]!r} is not expected; see {argv[0]} --help")
    job = runpy.run_path(str(CONFIGS / "quickstart_train.py"))["get_config"]()
    with tempfile.TemporaryDirectory() as folder:
        path = _RECORDS.value or quickstart_lines(pathlib.Path(folder) / "lines.jsonl", _LINES.value)
        job.data = dataclasses.replace(
            job.data,
            sources=[config.Source(path=str(path))],
            rows=_ROWS.value or job.data.rows,
            length=_LENGTH.value or job.data.length,
        )
        tokenizer = tokens.build(job.tokenizer)
        mixed = encode(job.data, tokenizer, folder)
        rate = compare(mixed, _SECONDS.value)
        taken = _CONSUMED.value or consumed(job, mixed, tokenizer.vocab_size, _STEPS.value)
        print(f"a training step consumes {taken:,.0f} tokens/s: one process feeds {rate / taken:,.0f} such")


def quickstart_lines(path, lines):
    """Write lines of the quickstart's corpus, and return their path."""
    job = runpy.run_path(str(CONFIGS / "quickstart_data.py"))["get_config"]()
    job = dataclasses.replace(job, train=lines, shards=1)
    records.write_lines(path, arithmetic.shard(job, "train", 0, Counter()))
    return path


def encode(data, tokenizer, folder):
    """The mixture, and a line about what it took to make it."""
    begun = time.perf_counter()
    mixed = mixture(data, tokenizer, cache_dir=folder)
    seconds = time.perf_counter() - begun
    [source] = mixed.describe()["sources"]
    used = source["records"] - source["dropped"]
    print(
        f"{source['records']:,} records ({source['dropped']:,} too long), {source['tokens'] / used:.1f} tokens each, "
        f"encoded in {seconds:.1f} s; batches of {data.rows} rows x {data.length} tokens"
    )
    return mixed


def compare(mixed, seconds):
    """Print tokens a second and fill of both, having had the same share of `seconds`; returns those of mathjax."""
    makers = {"grain, first fit": grains(mixed), "mathjax": mixed.batches()}
    for batches in makers.values():
        next(batches)
    spent, taken, filled = (Counter(dict.fromkeys(makers, 0.0)) for _ in range(3))
    while spent.total() < seconds:
        name = min(spent, key=spent.get)
        begun = time.process_time()
        while (now := time.process_time() - begun) < TURN:
            batch = next(makers[name])
            taken[name] += 1
            filled[name] += np.count_nonzero(batch.segments if name == "mathjax" else batch["tokens_segment_ids"])
        spent[name] += now
    makers["mathjax"].close()
    rates = {name: filled[name] / spent[name] for name in makers}
    room = mixed.data.rows * mixed.data.length
    print(f"{'on one core':20}{'tokens/s':>14}{'ratio':>8}{'fill':>9}")
    for name, rate in rates.items():
        print(
            f"{name:20}{rate:>14,.0f}{rate / rates['grain, first fit']:>8.1f}{filled[name] / taken[name] / room:>9.2%}"
        )
    return rates["mathjax"]


def grains(mixed):
    """The same examples through grain: global shuffle, first-fit packing, batches of rows."""
    data, encoded = mixed.data, mixed.sources[0].encoded
    ids = encoded.tokens.astype(np.int32)
    kept = range(len(encoded)) if mixed.sources[0].kept is None else mixed.sources[0].kept
    examples = [ids[encoded.offsets[i] : encoded.offsets[i + 1]] for i in kept]
    packed = FirstFitPackIterDataset(
        grain.MapDataset.source(examples)
        .shuffle(seed=0)
        .repeat()
        .map(lambda example: {"tokens": example[:-1], "targets": example[1:]})
        .to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=0)),
        length_struct={"tokens": data.length, "targets": data.length},
        num_packing_bins=max(data.rows, 128),
    )
    return iter(packed.batch(data.rows))


def consumed(job, mixed, vocab_size, steps):
    """Tokens a second, padding not counted, of the training step of a recipe on the batches of a mixture."""
    mesh.split_cpu(job.mesh.cpu_devices)
    job = dataclasses.replace(job, model=dataclasses.replace(job.model, vocab_size=vocab_size))
    devices, batches = mesh.make(job.mesh), mixed.batches()
    with jax.set_mesh(devices):
        state, update = step.init(job, devices), step.compile_update(job, devices)
        count = 0
        for number in range(steps + 2):
            if number == 2:  # the first are slower
                jax.block_until_ready(state)
                begun = time.perf_counter()
            batch: Batch = next(batches)
            count += np.count_nonzero(batch.segments) if number >= 2 else 0
            state, _ = update(state, {}, mesh.put_batch(devices, batch))
        jax.block_until_ready(state)
    return count / (time.perf_counter() - begun)


if __name__ == "__main__":
    app.run(main)
