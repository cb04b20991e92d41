"""A model here, as a source of answers, and what its run says of it."""

import dataclasses
import functools
from collections.abc import Iterable

import jax

from mathjax import checkpoint, config, mesh, metrics, pretrained
from mathjax.model import decoder
from mathjax.records import Record
from mathjax.sample.engine import Engine
from mathjax.solve.model import fingerprint, opened

CURVE = 400  # points of the learning curve at most
CLOSEST = 128  # tokens by which the question for the closest option may be longer than the one before


class Model:
    """The model of `job.checkpoint`, wherever that is."""

    def __init__(self, job: config.Evaluate):
        self.job, self.path = job, pretrained.find(job.checkpoint)
        self.shape, _ = pretrained.read(job.checkpoint)
        self.devices = mesh.make(job.mesh)
        self.name = {"sha256": fingerprint(self.path), "dtype": job.dtype}
        self.told = checkpoint.about(self.path) if (self.path / "params").is_dir() else {}

    def open(self, found: Iterable[Record], templates: Iterable[str]) -> tuple[Engine, object]:
        """(an engine with room for these records in these templates, the tokenizer)."""
        return opened(
            self.job.checkpoint,
            self.devices,
            found,
            templates,
            self.job.sampling,
            slots=self.job.slots,
            dtype=self.job.dtype,
            further=CLOSEST * (self.job.mode == "hybrid"),
        )

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
