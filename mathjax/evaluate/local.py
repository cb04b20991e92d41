"""A model here, as a source of answers, and what its run says of it."""

import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Iterable

import jax

from mathjax import checkpoint, config, mesh, metrics, pretrained, prompts
from mathjax.model import decoder
from mathjax.records import Record
from mathjax.sample.engine import Engine

CURVE = 400  # points of the learning curve at most
ROUND = 64  # lengths of the cache are multiples of this, so that few are compiled
CLOSEST = 128  # tokens by which the question for the closest option may be longer than the one before
ENDS = 2**20  # bytes from both ends of a file that tell it from others


class Model:
    """The model of `job.checkpoint`, wherever that is."""

    def __init__(self, job: config.Evaluate):
        self.job, self.path = job, pretrained.find(job.checkpoint)
        self.shape, self.tokenizer = pretrained.read(job.checkpoint)
        self.devices = mesh.make(job.mesh)
        self.name = {"sha256": fingerprint(self.path), "dtype": job.dtype}
        self.told = checkpoint.about(self.path) if (self.path / "params").is_dir() else {}

    def open(self, found: Iterable[Record], templates: Iterable[str]) -> tuple[Engine, object]:
        """(an engine with room for these records in these templates, the tokenizer)."""
        lengths = (len(prompts.encode(template, one, self.tokenizer)) for one in found for template in templates)
        longest = -(-(max(lengths) + CLOSEST * (self.job.mode == "hybrid")) // ROUND) * ROUND
        loaded = pretrained.load(self.job.checkpoint, self.devices, dtype=self.job.dtype)
        engine = Engine(
            loaded.model,
            loaded.params,
            self.devices,
            slots=self.job.slots,
            length=longest + self.job.sampling.max_tokens,
            prompt=longest,
            eos_id=self.tokenizer.stop_ids,
            pad_id=self.tokenizer.pad_id,
            dtype=self.job.dtype,
        )
        return engine, self.tokenizer

    def about(self) -> dict:
        """`checkpoint`, `training`, `learning_curve` and `device`, for the report."""
        params = jax.eval_shape(functools.partial(decoder.init, self.shape), jax.random.key(0))
        step = int(self.path.name) if self.told else None
        return {
            "checkpoint": {
                "path": str(self.path),
                "step": step,
                "parameters": sum(leaf.size for leaf in jax.tree.leaves(params)),
                "model": dataclasses.asdict(self.shape),
                "sha256": self.name["sha256"],
            },
            "training": {"recipe": self.told.get("recipe"), "digests": self.told.get("digests")},
            "learning_curve": learning_curve(self.path.parent.parent, step) if self.told else [],
            "device": f"{jax.device_count()} x {jax.devices()[0].device_kind}",
        }

    def sources(self) -> list[str]:
        """The files of records that it was trained on, as its checkpoint names them."""
        recipe = self.told.get("recipe") or {}
        return [source["path"] for source in recipe.get("data", {}).get("sources", [])]


def fingerprint(path) -> str:
    """Names the files of a model: sha256 of their names, sizes, and the first and last mebibyte of each."""
    path, total = pathlib.Path(path), hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            size = file.stat().st_size
            total.update(f"{file.relative_to(path) if file != path else ''}\0{size}\0".encode())
            with file.open("rb") as opened:
                total.update(opened.read(ENDS))
                opened.seek(max(0, size - ENDS))
                total.update(opened.read(ENDS))
    return total.hexdigest()


def learning_curve(folder, last: int) -> list[dict]:
    """The losses that a run logged up to step `last`, with the tokens it had seen; thinned out to `CURVE` rows.

    A row with a held-out loss is always kept. [] where the folder has no metrics.
    """
    found, tokens_seen, before = [], 0, 0
    for row in metrics.read(folder):
        if row["step"] > last:
            break
        tokens_seen += (row.get("tokens") or 0) * (row["step"] - before)
        before = row["step"]
        kept = {name: row[name] for name in ("step", "loss", "heldout_loss") if row.get(name) is not None}
        found.append(kept | {"tokens_seen": round(tokens_seen)})
    every = -(-len(found) // CURVE) or 1
    return [row for i, row in enumerate(found) if i % every == 0 or "heldout_loss" in row or i == len(found) - 1]
