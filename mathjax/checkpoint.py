"""A folder that says what model it is: saving, resuming, loading.

`WORKDIR/checkpoints/STEP/` holds `params`, `optimizer` and `about`: a JSON object with the model's shape, the
tokenizer, the recipe, the position of the input and the digests of the record files. A step is written under
another name, by all processes, with a digest of every file, and renamed when it is complete; so what can be listed was
written to its end, and what was damaged since is found out before it is used.
"""

import dataclasses
import functools
import logging
import pathlib

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN
from orbax.checkpoint.options import AsyncOptions

from mathjax import config, digests, distributed, mesh

FOLDER = "checkpoints"
UNFINISHED = ".orbax-checkpoint-tmp"  # after the number of a step that is being written
COMMIT = "_CHECKPOINT_METADATA"  # which orbax changes when it renames a step


class NotSaved(OSError):
    """A checkpoint could not be written; those before it are as they were."""


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A model as it was saved: its step, shape and params, and what else its checkpoint says about it."""

    step: int
    model: config.Model
    params: dict
    about: dict


class Checkpoints:
    """The checkpoints of a run, saved in the background; a context manager that ends when all are on disk.

    All processes of a run have to call its methods, at the same points of the program.
    """

    def __init__(self, workdir, *, keep: int = 1, keep_best: int = 0):
        _quiet()
        policies = [LatestN(keep)]
        if keep_best:
            best = BestN(get_metric_fn=lambda m: -m["loss"], n=keep_best, keep_checkpoints_without_metrics=False)
            policies.append(best)
        self.folder = pathlib.Path(workdir).absolute() / FOLDER
        options = ocp.CheckpointManagerOptions(
            preservation_policy=AnyPreservationPolicy(policies),
            cleanup_tmp_directories=True,
            async_options=AsyncOptions(post_finalization_callback=self._digest),
        )
        self.manager = ocp.CheckpointManager(self.folder, options=options)
        self._writing = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *exception):
        try:
            self.manager.close()
        except Exception:  # of whatever kind the storage raises; the first error is the one to tell
            if kind is None:
                raise

    def latest(self, most: int | None = None) -> int | None:
        """The last step that is as it was written (and at most `most`), or None; later ones are named and passed over.

        What is being written is waited for. ValueError where there are steps and none of them is whole.
        """
        self.wait()
        return _none(distributed.told(_latest(self.folder, most) if distributed.first() else -1))

    def save(self, step: int, params: dict, optimizer, about: dict, *, loss: float | None = None):
        """Start writing a step; the arrays may be changed as soon as this returns. `loss` ranks it among the best.

        Without an `optimizer` (None) the step can be loaded, and no run goes on from it. NotSaved where this step or
        the one before cannot be written.
        """
        parts = {"params": ocp.args.StandardSave(params), "about": ocp.args.JsonSave(about)}
        if optimizer is not None:
            parts["optimizer"] = ocp.args.StandardSave(optimizer)
        metrics = None if loss is None else {"loss": loss}
        self.wait()
        self._writing = step
        try:
            self.manager.save(step, args=ocp.args.Composite(**parts), metrics=metrics)
        except Exception as error:  # as above
            raise self._not_saved(error) from error

    def wait(self):
        """Return when everything saved so far is on disk; NotSaved where it cannot be."""
        try:
            self.manager.wait_until_finished()
        except Exception as error:  # as above
            raise self._not_saved(error) from error

    def drop_after(self, step: int):
        """Delete the steps after this one."""
        for later in [number for number in self.manager.all_steps() if number > step]:
            self.manager.delete(later)

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

    def _digest(self):
        """Orbax calls it when all files of a step are there, before it renames their folder."""
        if distributed.first():
            [folder] = self.folder.glob(f"{self._writing}{UNFINISHED}*")
            digests.write(folder, ignore=(COMMIT,))

    def _not_saved(self, error):
        rest = (
            f"{self.folder / str(_steps(self.folder)[0])} is there" if _steps(self.folder) else "there is none before"
        )
        return NotSaved(f"step {self._writing} could not be written to {self.folder}: {_cause(error)}; {rest}")


def _steps(folder):
    """The steps in a folder of checkpoints, the last first."""
    return sorted((int(path.name) for path in folder.glob("*") if path.name.isdigit()), reverse=True)


def _latest(folder, most):
    """The last undamaged step, -1 where there is no step; what is passed over is printed, ValueError if it is all."""
    steps = [step for step in _steps(folder) if most is None or step <= most]
    for step in steps:
        if not (why := digests.damage(folder / str(step))):
            return step
        print(f"{folder / str(step)} is damaged and left out: {why}", flush=True)
    if steps:
        raise ValueError(f"{folder}: no checkpoint is whole; move them away to begin anew")
    return -1


def _none(step):
    return None if step < 0 else step


def _cause(error):
    """The first line of what went wrong, wherever in a long report of the storage it stands."""
    text = str(error)
    for known in ("No space left on device", "Disk quota exceeded", "File too large", "Read-only file system"):
        if known in text:
            return known
    return text.strip().partition("\n")[0][:300]


def find(path) -> pathlib.Path:
    """The folder of a step: `path` itself, or the last undamaged step of the run in it; later ones are named.

    Only what `load` reads is looked at. FileNotFoundError says what was looked for and what is there instead;
    ValueError, that what is there is damaged.
    """
    path = pathlib.Path(path).absolute()
    folder = path if path.name == FOLDER else path / FOLDER
    named = (path / "params").is_dir()
    steps = [path] if named else [folder / str(step) for step in _steps(folder) if (folder / str(step)).is_dir()]
    for step in steps:
        if not (why := _unreadable(step, _stamp(step))):
            return step
        if named:
            raise ValueError(f"{step} is damaged: {why}")
        print(f"{step} is damaged and left out: {why}", flush=True)
    there = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else "no such folder"
    raise FileNotFoundError(f"{path}: wanted a checkpoint or a run with {FOLDER}/STEP in it, found {there}")


@functools.lru_cache(maxsize=64)
def _unreadable(step, stamp):
    """What is wrong with what `load` reads of a step, or ""; looked up once for each `stamp`."""
    return digests.damage(step, ("params", "about")) if (step / "params").is_dir() else "it holds no params"


def _stamp(step):
    path = step / digests.NAME
    return path.stat().st_mtime_ns if path.exists() else 0


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
    """Orbax reports every step of what it does, and logs errors that are raised as well."""
    logging.getLogger("absl").setLevel(logging.CRITICAL)
