"""Fit a model to a mixture: the loop around `update`, with its checkpoints, its log and its ways to stop."""

import contextlib
import dataclasses
import pathlib
import signal
import threading

import jax
import numpy as np

from mathjax import config, distributed, files, mesh, metrics
from mathjax.checkpoint import Checkpoints, NotSaved
from mathjax.data.mixture import mixture
from mathjax.train import flops, optimizer, start, step
from mathjax.train.clock import Clock

PATIENCE = 20  # steps left out, or runs taken back to the same step, one after the other, after which a run stops


class BadStep(ArithmeticError):
    """The loss or the gradient of a step was not a finite number, or a spike, and the recipe says to stop there."""


@dataclasses.dataclass(frozen=True)
class _Step:
    """A step that was handed to the devices, and whose numbers are still to be read."""

    number: int  # of the updates before it
    position: int  # of its batch
    following: int  # of the batch after it
    measured: dict


class _TakeBack(Exception):
    """A bad step is to be undone, with those before it."""

    def __init__(self, bad: _Step):
        super().__init__()
        self.bad = bad


def run(job: config.Train, workdir) -> dict:
    """Train to `job.steps` in a folder, from its last whole checkpoint if it has one; returns the last metrics.

    SIGTERM to any process saves at the next step, in all of them, and returns. What else ends the loop early saves
    the last step, where one process runs alone. ValueError where the folder holds a run of another recipe; BadStep,
    naming step, batch and last checkpoint, where the numbers break; NotSaved where a checkpoint cannot be written.
    """
    workdir, clock = pathlib.Path(workdir), Clock()
    with contextlib.ExitStack() as stack:
        stopping = stack.enter_context(_sigterm())
        devices = mesh.make(job.mesh)
        start.check_rows(job, devices)
        job, tokenizer, vocabularies = start.resolved(job)
        settings = {"cache_dir": workdir / "cache", "process": mesh.share(devices)}
        inputs, heldout = distributed.after_first(
            lambda: [data and mixture(data, tokenizer, **settings) for data in (job.data, job.heldout)]
        )
        about = {
            "model": dataclasses.asdict(job.model),
            "tokenizer": tokenizer.to_files(),
            "recipe": dataclasses.asdict(job),
            "digests": inputs.digests,
        }
        checkpoints = stack.enter_context(Checkpoints(workdir, keep=job.keep, keep_best=job.keep_best))

        def begin(most=None):
            return start.begin(job, devices, checkpoints, about, vocabularies, most)

        begun = begin()
        if distributed.first():
            with files.whole(workdir / "recipe.json") as file:
                file.write(config.to_json(job).encode() + b"\n")
        start.tell(inputs.describe(begun.position), begun.state, begun.frozen)
        if begun.state.step >= job.steps:
            distributed.say(f"already trained to step {begun.state.step} of {job.steps}")
            return {}
        log = stack.enter_context(metrics.Metrics(workdir, resume=int(begun.state.step), **_kept(job)))
        stack.enter_context(jax.set_mesh(devices))
        clock.went_on(log.seconds, begun.counted)
        fit = _Fit(job, devices, checkpoints, about, log, heldout, clock)
        while True:
            try:
                with contextlib.closing(inputs.batches(begun.position)) as batches:
                    return fit.run(begun, batches, stopping)
            except _TakeBack as back:
                bad, begun = back.bad, None
            begun = fit.taken_back(bad, begin(max(bad.number - job.rollback, 0)))  # here: the old state is let go


def _kept(job):
    """What becomes of the metrics: process 0 keeps those of all."""
    return {"tensorboard": job.tensorboard, "wandb": job.wandb, "silent": not distributed.first()}


class _Fit:
    """One run of the loop: what it compiled, and where its numbers go."""

    def __init__(self, job, devices, checkpoints, about, log, heldout, clock):
        self.job, self.devices, self.checkpoints, self.about, self.log = job, devices, checkpoints, about, log
        self.heldout, self.clock = heldout, clock
        with self.clock.on("compile"):
            step.probe(job, mesh.make(config.Mesh(), jax.local_devices()))  # each process tries its own
            self.update = step.compile_update(job, devices)
            self.loss = heldout and step.compile_loss(job, job.heldout, devices)
            self.peak = flops.peak(job.dtype)
        distributed.say(f"compiled the step in {self.clock.spent['compile']:.1f} s")
        self.rate = optimizer.schedule(job.optimizer, job.steps)
        self.alone = jax.process_count() == 1
        self.profile = _Profile(job.profile_steps, log.folder / "profile")
        self.saved, self.missed, self.backs = None, 0, []
        self.now = None  # (state, steps done, position of the input): what can be saved at any time

    def run(self, begun, batches, stopping):
        """Steps until the last one, or until asked to stop; the last metrics."""
        self.now = begun.state, int(begun.state.step), begun.position
        self.saved = self.now[1]
        try:
            last = self._steps(begun.state, begun.frozen, batches, stopping)
        except (BadStep, NotSaved):
            raise
        except _TakeBack:
            self.now = None
            raise
        except BaseException as error:
            self._rescue(error)
            raise
        self.checkpoints.wait()
        return last

    def _steps(self, state, frozen, batches, stopping):
        first, steps, last = self.now[1], self.job.steps, {}
        if first == 0 and self.job.pretrained and self.heldout:
            self.log.write(0, self._measure(state.params, frozen, stopping))
        waiting, seen = [], []
        show = {"total": steps, "initial": first, "desc": "train", "unit": "step", "silent": not distributed.first()}
        with metrics.progress(**show) as bar:
            for number in range(first, steps):
                position = batches.position
                with self.clock.on("input"):
                    batch = mesh.put_batch(self.devices, next(batches))
                self.profile.before(number + 1)
                told = distributed.any_of(self.devices, stopping.is_set())
                state, measured = self.update(state, frozen, batch)
                self.now = state, number + 1, batches.position
                self.profile.after(number + 1, measured)
                waiting.append(_Step(number, position, batches.position, measured))
                done, asked = number + 1, bool(told > 0)
                save = asked or done == steps or done % self.job.save_every == 0
                line = save or done % self.job.log_every == 0
                while len(waiting) > (0 if line else 1):  # the devices have the next step while this one is read
                    seen.append(self._read(waiting.pop(0)))
                if line:
                    last = self._line(done, seen, bar)
                    if save and self.heldout and not asked:
                        last |= self._measure(state.params, frozen, stopping)
                    self.log.write(done, last)  # before the checkpoint: a resumed run drops lines, and lacks none
                    seen = []
                if save:
                    self._save(last)
                bar.update()
                if asked:
                    self.checkpoints.wait()
                    distributed.say(
                        f"asked to stop: saved step {done} of {steps}; started again, it goes on from there"
                    )
                    break
        return last

    def _read(self, one):
        """The numbers of a step, once the devices are through with it; a bad one is dealt with as the recipe says."""
        values = {name: float(value) for name, value in jax.device_get(one.measured).items()}
        if not values["anomaly"]:
            self.missed = 0
            return values
        self.missed += 1
        good = "none was saved" if not self.saved else str(self.checkpoints.folder / str(self.saved))
        what = (
            f"step {one.number + 1}: loss is {values['loss']}, gradient norm {values['gradient_norm']}; "
            f"the batch is the one at input position {one.position}"
        )
        if self.job.anomaly == "stop" or self.missed > PATIENCE:
            row = f"; {self.missed} steps in a row were left out" if self.missed > 1 else ""
            raise BadStep(f"{what}{row}; last good checkpoint: {good}")
        if self.job.anomaly == "rollback":
            distributed.say(f"{what}; it is taken back")
            raise _TakeBack(one)
        distributed.say(f"{what}; it was left out")
        return values

    def taken_back(self, bad, begun):
        """Where to go on after a bad step: at an earlier one, with the batch after the bad one."""
        number = int(begun.state.step)
        self.backs.append(number)
        if self.backs.count(number) > PATIENCE:
            raise BadStep(f"step {bad.number + 1} was bad, after {PATIENCE} runs that were taken back to step {number}")
        self.log.back_to(number)
        self.clock.went_back(begun.counted)
        distributed.say(f"back at step {number}, going on with the batch at input position {bad.following}")
        return dataclasses.replace(begun, position=bad.following)

    def _line(self, done, seen, bar):
        """The metrics since the last line: means over the steps that counted, and rates over the seconds of all."""
        good = [values for values in seen if not values["anomaly"]]
        count, model = len(seen), self.job.model
        times = self.clock.take(count, len(good) / count)
        seconds = times["seconds_per_step"] * count
        tokens, pairs = (sum(values[name] for values in seen) for name in ("tokens", "pairs"))
        work = flops.step_flops(model, tokens, pairs)
        means = {
            name: sum(values[name] for values in good) / len(good) if good else float("nan")
            for name in ("loss", "accuracy", "gradient_norm")
        }
        line = means | {
            "learning_rate": float(self.rate(done - 1)),
            "tokens": tokens / count,
            "fill": tokens / (count * self.job.data.rows * self.job.data.length),
            "tokens_per_second": tokens / seconds,
            "flops_per_second": work / seconds,
        }
        if self.peak:
            line["mfu"] = work / seconds / self.peak
        if len(good) < count:
            line["left_out"] = count - len(good)
        bar.set_postfix_str(f"loss {line['loss']:.4f}, {line['tokens_per_second']:,.0f} tokens/s", refresh=False)
        return line | times

    def _save(self, line):
        """Write a checkpoint, ranked by its held-out loss, or by its loss where nothing is held out."""
        state, done, position = self.now
        about = self.about | {"step": done, "position": position, "counted": self.clock.counted}
        loss = line.get("heldout_loss" if self.heldout else "loss")
        with self.clock.on("save"):
            self.checkpoints.save(done, state.params, state.optimizer, about, loss=loss)
        self.saved = done

    def _rescue(self, error):
        """Save the last step before an error ends the run, where its state is there and one process has all of it."""
        state, done, _ = self.now
        lost = any(leaf.is_deleted() for leaf in jax.tree.leaves(state))
        if not self.alone or lost or done <= self.saved:
            return
        try:
            self._save({})
            self.checkpoints.wait()
            print(f"{type(error).__name__} after step {done}, which was saved: started again, the run goes on from it")
        except NotSaved as failed:
            print(f"{type(error).__name__} after step {done}: {failed}")

    def _measure(self, params, frozen, stopping):
        """Mean loss and accuracy over the held-out batches, by weight; nothing where the run is asked to stop."""
        sums = np.zeros(3)
        with self.clock.on("measure"), contextlib.closing(self.heldout.batches(0)) as batches:
            for _ in range(self.job.heldout_batches):
                told = distributed.any_of(self.devices, stopping.is_set())
                found = self.loss(params, frozen, mesh.put_batch(self.devices, next(batches)))
                sums += np.asarray(found, np.float64)
                if told > 0:
                    return {}
        return {"heldout_loss": float(sums[0] / sums[2]), "heldout_accuracy": float(sums[1] / sums[2])}


class _Profile:
    """A trace of some steps, in a folder that TensorBoard and Perfetto read; each process has its own."""

    def __init__(self, steps, folder):
        self.first, self.last = steps or (0, 0)
        self.folder = folder if jax.process_count() == 1 else folder / f"process_{jax.process_index()}"

    def before(self, step):
        if step == self.first:
            jax.profiler.start_trace(self.folder)

    def after(self, step, made):
        if step == self.last:
            jax.block_until_ready(made)
            jax.profiler.stop_trace()
            distributed.say(f"steps {self.first} to {self.last} are traced in {self.folder}")


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
