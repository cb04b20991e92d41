"""A folder that says what model it is: saving, resuming, loading.

`WORKDIR/checkpoints/STEP/` holds `params`, `optimizer` and `about`: a JSON object with the model's shape, the
tokenizer, the recipe, the position of the input and the digests of the record files. A step is written under
another name and renamed when it is complete, so what can be listed can be loaded.
"""

import dataclasses
import logging
import pathlib

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN

from mathjax import config, mesh

FOLDER = "checkpoints"


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A model as it was saved: its step, shape and params, and what else its checkpoint says about it."""

    step: int
    model: config.Model
    params: dict
    about: dict


class Checkpoints:
    """The checkpoints of a run, saved in the background; a context manager that ends when all are on disk."""

    def __init__(self, workdir, *, keep: int = 1, keep_best: int = 0):
        _quiet()
        policies = [LatestN(keep)]
        if keep_best:
            best = BestN(get_metric_fn=lambda m: -m["loss"], n=keep_best, keep_checkpoints_without_metrics=False)
            policies.append(best)
        self.folder = pathlib.Path(workdir).absolute() / FOLDER
        options = ocp.CheckpointManagerOptions(
            preservation_policy=AnyPreservationPolicy(policies), cleanup_tmp_directories=True
        )
        self.manager = ocp.CheckpointManager(self.folder, options=options)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.manager.close()

    def latest(self) -> int | None:
        """The last complete step, or None."""
        return self.manager.latest_step()

    def save(self, step: int, params: dict, optimizer, about: dict, *, loss: float | None = None):
        """Start writing a step; the arrays may be changed as soon as this returns. `loss` ranks it among the best.

        Without an `optimizer` (None) the step can be loaded, and no run goes on from it.
        """
        parts = {"params": ocp.args.StandardSave(params), "about": ocp.args.JsonSave(about)}
        if optimizer is not None:
            parts["optimizer"] = ocp.args.StandardSave(optimizer)
        metrics = None if loss is None else {"loss": loss}
        self.manager.save(step, args=ocp.args.Composite(**parts), metrics=metrics)

    def wait(self):
        """Return when everything saved so far is on disk."""
        self.manager.wait_until_finished()

    def about(self, step: int) -> dict:
        """What the checkpoint of a step says about itself."""
        return self.manager.restore(step, args=ocp.args.Composite(about=ocp.args.JsonRestore()))["about"]

    def restore(self, step: int, params, optimizer):
        """(params, optimizer) of a step, placed like the `jax.ShapeDtypeStruct` trees that are given."""
        args = ocp.args.Composite(
            params=ocp.args.StandardRestore(params), optimizer=ocp.args.StandardRestore(optimizer)
        )
        found = self.manager.restore(step, args=args)
        return found["params"], found["optimizer"]


def find(path) -> pathlib.Path:
    """The folder of a step: `path` itself, or the last complete step of the run in it.

    FileNotFoundError says what was looked for and what is there instead.
    """
    path = pathlib.Path(path).absolute()
    if (path / "params").is_dir():
        return path
    folder = path if path.name == FOLDER else path / FOLDER
    steps = sorted(int(step.name) for step in folder.glob("*") if step.name.isdigit() and (step / "params").is_dir())
    if steps:
        return folder / str(steps[-1])
    there = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else "no such folder"
    raise FileNotFoundError(f"{path}: wanted a checkpoint or a run with {FOLDER}/STEP in it, found {there}")


def load(path, devices: jax.sharding.Mesh | None = None) -> Loaded:
    """The model of a step or of a run's last step, its params placed on the mesh (by default: all devices as data)."""
    _quiet()
    step = find(path)
    devices = mesh.make(config.Mesh()) if devices is None else devices
    told = about(step)
    with ocp.StandardCheckpointer() as checkpointer:
        saved = checkpointer.metadata(step / "params").item_metadata.tree
        shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), saved)
        placed = jax.tree.map(
            lambda leaf, where: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=where),
            shapes,
            mesh.place(devices, shapes),
        )
        params = checkpointer.restore(step / "params", placed)
    return Loaded(int(step.name), config.from_dict(config.Model, told["model"]), params, told)


def about(path) -> dict:
    """What the checkpoint of a step, or of a run's last step, says about itself."""
    _quiet()
    return ocp.Checkpointer(ocp.JsonCheckpointHandler()).restore(find(path) / "about")


def _quiet():
    """Orbax reports every step of what it does, and warns of what is of no concern here."""
    logging.getLogger("absl").setLevel(logging.ERROR)
