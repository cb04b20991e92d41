"""Where a run begins: its model, its tokenizer and its state, new or from the last whole checkpoint."""

import dataclasses

import jax

from mathjax import config, distributed, pretrained, tokens
from mathjax.checkpoint import Checkpoints
from mathjax.model import lora, vocabulary
from mathjax.train import step

# Settings that may differ when a run is taken up again: they do not change what is learned.
FREE = (
    "mesh attention offload remat log_every save_every keep keep_best tensorboard wandb heldout_batches profile_steps "
    "anomaly rollback"
).split()


def resolved(job):
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


@dataclasses.dataclass(frozen=True)
class Begin:
    """What a run goes on from."""

    state: step.State
    frozen: dict  # params that are not trained
    position: int  # of the input
    counted: float  # seconds that the steps so far took


def begin(job, devices, checkpoints: Checkpoints, about: dict, vocabularies, most: int | None = None) -> Begin:
    """The state of the last whole checkpoint (of step `most` at most), or that of a new run.

    `about` is told which model adapters belong to. ValueError where the checkpoint belongs to another recipe.
    """
    last = checkpoints.latest(most)
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
    checkpoints.drop_after(-1 if last is None else last)
    if saved:
        shapes = step.abstract(job, devices)
        params, optimizer_state = checkpoints.restore(last, shapes.params, shapes.optimizer)
        state = step.at(last, params, optimizer_state, devices)
        return Begin(state, frozen, saved["position"], saved.get("counted", 0.0))
    if base is None or job.lora:
        return Begin(step.init(job, devices), frozen, 0, 0.0)
    found = pretrained.load(base.source, devices, **given)
    known, wanted = vocabularies
    _, params = vocabulary.grow(found.model, found.params, devices, known=known, wanted=wanted)
    return Begin(step.begin(job, params, devices), {}, 0, 0.0)


def tell(described: dict, state: step.State, frozen: dict):
    """Say what is learned from, by how many parameters, and where."""
    for source in described["sources"]:
        distributed.say(
            f"{source['path']}: {source['records']:,} records, {source['dropped']:,} of them too long for a row, "
            f"{source['tokens']:,} tokens an epoch, {source['epochs']:.2f} epochs so far"
        )
    trained, held = (sum(leaf.size for leaf in jax.tree.leaves(tree)) for tree in (state.params, frozen))
    beside = f" beside {held:,} that stay as they are" if held else ""
    hosts = f" of {jax.process_count()} processes" if jax.process_count() > 1 else ""
    kind = jax.devices()[0].device_kind
    distributed.say(f"{trained:,} parameters{beside} on {jax.device_count()} devices{hosts} ({kind})")


def _check_same(now, saved, folder):
    """Raise ValueError unless a checkpoint belongs to this recipe and these files of records."""
    if "recipe" not in saved:
        raise ValueError(f"{folder} was not trained here, so no run goes on from it; choose another --workdir")
    recipe = dataclasses.asdict(config.from_dict(config.Train, saved["recipe"]))  # with what was not a setting yet
    before, after = (_flat(recipe) for recipe in (recipe, now["recipe"]))
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


def check_rows(job: config.Train, devices):
    """Raise ValueError unless the devices can share the rows of a batch evenly."""
    shares = devices.shape["data"] * devices.shape["fsdp"] * max(job.accumulate, 1)
    if job.data.rows % shares:
        raise ValueError(f"config.data.rows={job.data.rows} must be a multiple of data x fsdp x accumulate = {shares}")
