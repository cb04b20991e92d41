"""Numbers over time, as JSONL, for TensorBoard and for Weights & Biases, and progress for whoever waits."""

import json
import math
import numbers
import pathlib
import secrets
import shutil
import sys

import tqdm

from mathjax import files


class Metrics:
    """Appends rows of numbers to `folder`/metrics.jsonl, and to TensorBoard and Weights & Biases if asked.

    Each row is a JSON object with `step` first, and is with the system when `write` returns. A run that resumes
    from step `resume` (0: a new one) drops the rows that an earlier run left of later steps, and a last row torn by
    a crash. A number that is not finite becomes null in the file, for which JSON has no other word.

    `wandb` names a project; the run in it is that of the folder, also when it resumes, and what is to be set beyond
    (WANDB_MODE=offline, WANDB_ENTITY) is read from the environment. `seconds` is what the last row of an earlier run
    had under that name, or 0.

    Only one process may write to a folder: in the others of a run it is `silent`. ValueError if the file holds
    something else than rows of metrics; ModuleNotFoundError if TensorBoard or Weights & Biases is asked for and its
    extra is not installed.
    """

    def __init__(self, folder, tensorboard=False, *, resume=0, wandb="", silent=False):
        self.folder = pathlib.Path(folder)
        self._tensorboard, self._project, self._silent = tensorboard, wandb, silent
        self._file = self._board = self._wandb = None
        self.seconds = 0.0
        if not silent:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.seconds = next((row["seconds"] for row in reversed(read(folder)) if "seconds" in row), 0.0)
            self._open(resume)

    def _open(self, resume):
        if self._tensorboard:
            self._board = _summary_writer(self.folder / "tensorboard", resume)
        if self._project and self._wandb is None:
            self._wandb = _wandb_run(self.folder, self._project)
        path = self.folder / "metrics.jsonl"
        _drop_after(path, resume)
        self._file = path.open("a", encoding="utf-8")

    def back_to(self, step):
        """Drop the rows of later steps, as for a run that resumes from this one."""
        if not self._silent:
            self._close_files()
            self._open(step)

    def write(self, step, values):
        """Append one row: `values` maps names to numbers (Python's, NumPy's, or JAX arrays of no dimensions)."""
        if self._silent:
            return
        row = {name: _number(name, value) for name, value in values.items()}
        if "step" in row:
            raise ValueError(f"a metric cannot be called 'step', at step {step}: {sorted(row)}")
        finite = {name: value if math.isfinite(value) else None for name, value in row.items()}
        self._file.write(json.dumps({"step": int(step), **finite}, allow_nan=False) + "\n")
        self._file.flush()
        if self._board:
            for name, value in finite.items():
                if value is not None:
                    self._board.add_scalar(name, value, int(step))
        if self._wandb:
            self._wandb.log({"step": int(step), **row})

    def close(self):
        """Close the files; nothing can be written after it."""
        if not self._silent:
            self._close_files()
            if self._wandb:
                self._wandb.finish()

    def _close_files(self):
        self._file.close()
        if self._board:
            self._board.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read(folder) -> list[dict]:
    """The rows in `folder`/metrics.jsonl, in order, a torn last one left out; [] where there is no such file.

    ValueError with path and line for anything that is not a row.
    """
    path = pathlib.Path(folder) / "metrics.jsonl"
    return _rows(path) if path.exists() else []


def progress(total, desc, unit, initial=0, silent=False):
    """A tqdm bar over `total` units (None: unknown), `initial` of them done before, with the rate and the time left.

    On a terminal it is a bar; anywhere else a line about every 10 seconds, so that a log stays readable; where another
    process shows it, `silent`, it is nothing.
    """
    shown = dict(total=total, desc=desc, unit=f" {unit}", initial=initial, unit_scale=(total or 0) >= 100_000)
    if silent:
        return tqdm.tqdm(**shown, disable=True)
    count, speed = "{n_fmt}/{total_fmt}{unit}" if total else "{n_fmt}{unit}", "{rate_noinv_fmt}{postfix}"
    if sys.stderr.isatty():
        form = "{l_bar}{bar}| " if total else "{desc}: "
        form = f"{form}{count}, {{elapsed}}<{{remaining}}, {speed}"
        size = shutil.get_terminal_size()  # also for terminals that tell none, where tqdm would show nothing
        return tqdm.tqdm(**shown, bar_format=form, ncols=size.columns, nrows=size.lines)
    form = f"{{desc}}: {count}, {{elapsed}} gone, {{remaining}} left, {speed}"
    return _Lines(**shown, bar_format=form, mininterval=10, maxinterval=10)


class _Lines(tqdm.tqdm):
    """Progress for a log: each state on a line of its own, once."""

    shown = None

    def display(self, msg=None, pos=None):
        line = str(self)
        if msg != "" and line != self.shown:  # "" is what tqdm shows to clear a bar
            self.fp.write(line + "\n")
            self.fp.flush()
            self.shown = line

    def close(self):
        self.refresh()
        self.leave = False
        super().close()


def _rows(path):
    rows = []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            row["step"]
        except (ValueError, TypeError, KeyError):
            if number == len(lines):
                break
            raise ValueError(f"{path}, line {number}: a row of metrics has a step, got {line[:80]!r}") from None
        rows.append(row)
    return rows


def _drop_after(path, step):
    if not path.exists():
        return
    kept = [row for row in _rows(path) if row["step"] <= step]
    with files.whole(path) as file:
        file.write("".join(json.dumps(row) + "\n" for row in kept).encode())


def _number(name, value):
    try:
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    except (TypeError, ValueError):
        raise TypeError(f"metric {name!r} must be a number, got {value!r}") from None


def _summary_writer(folder, resume):
    try:
        import tensorboardX
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "TensorBoard was asked for and is not installed: pip install 'mathjax[tensorboard]', or from a checkout "
            "pip install -e '.[tensorboard]'"
        ) from None
    return tensorboardX.SummaryWriter(str(folder), purge_step=resume + 1)


def _wandb_run(folder, project):
    """The run of a folder in a project of Weights & Biases, begun or gone on with."""
    try:
        import wandb
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "Weights & Biases was asked for and is not installed: pip install 'mathjax[wandb]', or from a checkout "
            "pip install -e '.[wandb]'"
        ) from None
    path = folder / "wandb.txt"
    if not path.exists():
        path.write_text(f"{folder.name}-{secrets.token_hex(4)}\n", encoding="utf-8")
    name = path.read_text(encoding="utf-8").strip()
    run = wandb.init(project=project, id=name, name=folder.name, dir=str(folder), resume="allow")
    run.define_metric("*", step_metric="step")  # rows may come again, after a run was taken up or taken back
    return run
