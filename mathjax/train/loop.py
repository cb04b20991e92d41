"""Fit a model to a mixture: the loop around `update`, with its checkpoints, its log and its ways to stop."""

import contextlib
import dataclasses
import math
import pathlib
import signal
import threading
import time

import jax
import numpy as np

from mathjax import config, files, mesh, metrics, pretrained, tokens
from mathjax.checkpoint import Checkpoints
from mathjax.data.mixture import mixture
from mathjax.model import lora, vocabulary
from mathjax.train import flops, optimizer, step

# Settings that may differ when a run is taken up again: they do not change what is learned.
FREE = ("mesh", "log_every", "save_every", "keep", "keep_best", "tensorboard", "heldout_batches")


class NotFinite(ArithmeticError):
    """The loss or the gradient of a step was not a finite number."""


def run(job: config.Train, workdir) -> dict:
    """Train to `job.steps` in a folder, from its last checkpoint if it has one; returns the last metrics.

    SIGTERM saves at the next step and returns. ValueError where the folder holds a run of another recipe;
    NotFinite, naming step, batch and last checkpoint, where the numbers break.
    """
    workdir = pathlib.Path(workdir)
    with contextlib.ExitStack() as stack:
        stopping = stack.enter_context(_sigterm())
        devices = mesh.make(job.mesh)
        _check_rows(job, devices)
        job, tokenizer, vocabularies = _resolved(job)
        host = (jax.process_index(), jax.process_count())
        inputs, heldout = (
            data and mixture(data, tokenizer, cache_dir=workdir / "cache", process=host)
            for data in (job.data, job.heldout)
        )
        about = {
            "model": dataclasses.asdict(job.model),
            "tokenizer": tokenizer.to_files(),
            "recipe": dataclasses.asdict(job),
            "digests": inputs.digests,
        }
        checkpoints = stack.enter_context(Checkpoints(workdir, keep=job.keep, keep_best=job.keep_best))
        state, frozen, position = _begin(job, devices, checkpoints, about, vocabularies)
        with files.whole(workdir / "recipe.json") as file:
            file.write(config.to_json(job).encode() + b"\n")
        _tell(inputs.describe(position), state, frozen)
        if state.step >= job.steps:
            print(f"already trained to step {state.step} of {job.steps}")
            return {}
        log = stack.enter_context(metrics.Metrics(workdir, resume=int(state.step), tensorboard=job.tensorboard))
        stack.enter_context(jax.set_mesh(devices))
        fit = _Fit(job, devices, checkpoints, about, log, heldout)
        batches = stack.enter_context(contextlib.closing(inputs.batches(position)))
        return fit.run(state, frozen, batches, stopping)


class _Fit:
    """One run of the loop: what it compiled, and where its numbers go."""

    def __init__(self, job, devices, checkpoints, about, log, heldout):
        self.job, self.devices, self.checkpoints, self.about, self.log = job, devices, checkpoints, about, log
        self.heldout = heldout
        begun = time.perf_counter()
        self.update = step.compile_update(job, devices)
        self.loss = heldout and step.compile_loss(job, job.heldout, devices)
        print(f"compiled the step in {time.perf_counter() - begun:.1f} s")
        self.rate = optimizer.schedule(job.optimizer, job.steps)
        self.peak = flops.peak(job.dtype)
        self.saved = checkpoints.latest()

    def run(self, state, frozen, batches, stopping):
        first, steps, last = int(state.step), self.job.steps, {}
        if first == 0 and self.job.pretrained and self.heldout:
            self.log.write(0, self._measure(state.params, frozen))
        waiting, seen, begun = [], [], time.perf_counter()
        with metrics.progress(total=steps, initial=first, desc="train", unit="step") as bar:
            for number in range(first, steps):
                position = batches.position
                state, measured = self.update(state, frozen, mesh.put_batch(self.devices, next(batches)))
                waiting.append((number, position, measured))
                done, asked = number + 1, stopping.is_set()
                save = asked or done == steps or done % self.job.save_every == 0
                line = save or done % self.job.log_every == 0
                while len(waiting) > (0 if line else 1):  # the devices have the next step while this one is read
                    seen.append(self._finite(*waiting.pop(0)))
                if line:
                    last = self._line(done, seen, time.perf_counter() - begun, bar)
                    if save and self.heldout:
                        last |= self._measure(state.params, frozen)
                    self.log.write(done, last)  # before the checkpoint: a resumed run drops lines, and lacks none
                if save:
                    self._save(done, state, batches.position, last)
                if line:
                    seen, begun = [], time.perf_counter()
                bar.update()
                if asked:
                    print(f"asked to stop: saved step {done} of {steps}; started again, it goes on from there")
                    break
        self.checkpoints.wait()
        return last

    def _finite(self, number, position, measured):
        values = {name: float(value) for name, value in jax.device_get(measured).items()}
        if math.isfinite(values["loss"]) and math.isfinite(values["gradient_norm"]):
            return values
        good = "none was saved" if self.saved is None else str(self.checkpoints.folder / str(self.saved))
        raise NotFinite(
            f"step {number + 1}: loss is {values['loss']}, gradient norm {values['gradient_norm']}; "
            f"the batch is the one at input position {position}; last good checkpoint: {good}"
        )

    def _line(self, done, seen, seconds, bar):
        """The metrics since the last line: means over its steps, and rates over its seconds."""
        totals = {name: sum(values[name] for values in seen) for name in seen[0]}
        count, model = len(seen), self.job.model
        work = flops.step_flops(model, totals["tokens"], totals["pairs"])
        line = {
            "loss": totals["loss"] / count,
            "accuracy": totals["accuracy"] / count,
            "gradient_norm": totals["gradient_norm"] / count,
            "learning_rate": float(self.rate(done - 1)),
            "tokens": totals["tokens"] / count,
            "fill": totals["tokens"] / (count * self.job.data.rows * self.job.data.length),
            "seconds_per_step": seconds / count,
            "tokens_per_second": totals["tokens"] / seconds,
            "flops_per_second": work / seconds,
        }
        if self.peak:
            line["mfu"] = work / seconds / self.peak
        bar.set_postfix_str(f"loss {line['loss']:.4f}, {line['tokens_per_second']:,.0f} tokens/s", refresh=False)
        return line

    def _save(self, done, state, position, line):
        """Write a checkpoint, ranked by its held-out loss, or else by its loss."""
        about = self.about | {"step": done, "position": position}
        self.checkpoints.save(done, state.params, state.optimizer, about, loss=line.get("heldout_loss", line["loss"]))
        self.saved = done

    def _measure(self, params, frozen):
        """Mean loss and accuracy over the held-out batches, by weight."""
        with contextlib.closing(self.heldout.batches(0)) as batches:
            sums = sum(
                np.asarray(self.loss(params, frozen, mesh.put_batch(self.devices, next(batches))), np.float64)
                for _ in range(self.job.heldout_batches)
            )
        return {"heldout_loss": float(sums[0] / sums[2]), "heldout_accuracy": float(sums[1] / sums[2])}


def _tell(described, state, frozen):
    """Say what is learned from, and by how many parameters."""
    for source in described["sources"]:
        print(
            f"{source['path']}: {source['records']:,} records, {source['dropped']:,} of them too long for a row, "
            f"{source['tokens']:,} tokens an epoch, {source['epochs']:.2f} epochs so far"
        )
    trained, held = (sum(leaf.size for leaf in jax.tree.leaves(tree)) for tree in (state.params, frozen))
    beside = f" beside {held:,} that stay as they are" if held else ""
    print(f"{trained:,} parameters{beside} on {jax.device_count()} devices ({jax.devices()[0].device_kind})")


def _resolved(job):
    """(job, tokenizer, tokens): the job with the shape of its model; how many tokens that knew, and has to know."""
    if job.pretrained is None:
        tokenizer = tokens.build(job.tokenizer)
        shape = dataclasses.replace(job.model, vocab_size=job.model.vocab_size or tokenizer.vocab_size)
        return dataclasses.replace(job, model=shape), tokenizer, None
    begin, special = job.pretrained, job.tokenizer.special
    shape, tokenizer = pretrained.read(begin.source, begin.revision, begin.vocab_multiple)
    if job.tokenizer.source:
        tokenizer = tokens.build(dataclasses.replace(job.tokenizer, special=[]))
    if tokenizer.vocab_size > shape.vocab_size:
        raise ValueError(
            f"config.tokenizer has {tokenizer.vocab_size:,} tokens, the model of {begin.source} {shape.vocab_size:,}"
        )
    known = wanted = tokenizer.vocab_size
    if special:
        tokenizer = tokenizer.with_special(special)
        wanted = tokenizer.vocab_size
        shape = dataclasses.replace(shape, vocab_size=max(shape.vocab_size, wanted))
    return dataclasses.replace(job, model=lora.adapted(shape, job.lora)), tokenizer, (known, wanted)


def _begin(job, devices, checkpoints, about, vocabularies):
    """(state, params that are not trained, position of the input): of the last checkpoint, or of a new run.

    `about` is told which model adapters belong to.
    """
    last = checkpoints.latest()
    saved = None if last is None else checkpoints.about(last)
    if saved:
        _check_same(about, saved, checkpoints.folder / str(last))
    base = job.pretrained
    given = {} if base is None else {"revision": base.revision, "vocab_multiple": base.vocab_multiple}
    frozen = {}
    if job.lora:
        found, about["base"] = pretrained.base(base.source, devices, dtype=base.dtype, **given)
        frozen = found.params
        if saved and saved["base"]["digest"] != about["base"]["digest"]:
            raise ValueError(f"{base.source} is another model than the adapters in {checkpoints.folder} belong to")
    if saved:
        shapes = step.abstract(job, devices)
        params, optimizer_state = checkpoints.restore(last, shapes.params, shapes.optimizer)
        return step.at(last, params, optimizer_state, devices), frozen, saved["position"]
    if base is None or job.lora:
        return step.init(job, devices), frozen, 0
    found = pretrained.load(base.source, devices, **given)
    known, wanted = vocabularies
    _, params = vocabulary.grow(found.model, found.params, devices, known=known, wanted=wanted)
    return step.begin(job, params, devices), {}, 0


def _check_same(now, saved, folder):
    """Raise ValueError unless a checkpoint belongs to this recipe and these files of records."""
    if "recipe" not in saved:
        raise ValueError(f"{folder} was not trained here, so no run goes on from it; choose another --workdir")
    before, after = (_flat(recipe) for recipe in (saved["recipe"], now["recipe"]))
    names = [name for name in sorted(before.keys() | after.keys()) if name.split(".")[0] not in FREE]
    changed = [
        f"{name}: {before.get(name)!r} -> {after.get(name)!r}" for name in names if before.get(name) != after.get(name)
    ]
    if changed:
        raise ValueError(f"{folder} was trained with another recipe ({'; '.join(changed)}); choose another --workdir")
    if saved["digests"] != now["digests"]:
        raise ValueError(f"{folder}: the record files have changed since it was saved; choose another --workdir")


def _flat(tree, name=""):
    """{"a.b.0": value} for nested dicts and lists."""
    if isinstance(tree, dict | list | tuple):
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return {
            key: leaf
            for part, value in pairs
            for key, leaf in _flat(value, f"{name}.{part}" if name else str(part)).items()
        }
    return {name: tree}


def _check_rows(job, devices):
    shares = devices.shape["data"] * devices.shape["fsdp"] * max(job.accumulate, 1)
    if job.data.rows % shares:
        raise ValueError(f"config.data.rows={job.data.rows} must be a multiple of data x fsdp x accumulate = {shares}")


@contextlib.contextmanager
def _sigterm():
    """An event that SIGTERM sets, while the block runs; in the main thread only, where signals arrive."""
    stopping = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGTERM, before)
