"""What goes wrong in a run, done to it for real: signals, damaged files, a full disk, numbers that break."""

import contextlib
import dataclasses
import math
import re
import signal
import subprocess
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_loop import config_of, everything, finish, recipe, rows, start, steps_on_disk, write_corpus

from mathjax import checkpoint, compilation, config, digests, mesh, tokens
from mathjax.data.mixture import mixture
from mathjax.train import guard, loop, step


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module", autouse=True)
def kept_programs(tmp_path_factory):
    """The runs of this file compile the same few programs; each is compiled once."""
    before = jax.config.jax_compilation_cache_dir, jax.config.jax_persistent_cache_min_compile_time_secs
    compilation._use(tmp_path_factory.mktemp("programs"), 0.1)
    yield
    compilation._use(*before)


def small(corpus, folder, save_every=10):
    """A job of 40 steps whose program is compiled once for this file."""
    job = config_of(corpus, folder, steps=40, save_every=save_every)
    job.model.layers, job.heldout = 1, None
    return job


def said_so_far(process, wanted, seconds=200):
    """Read the output of a process up to a line that holds some text."""
    lines, end = [], time.monotonic() + seconds
    while not (lines and wanted in lines[-1]):
        lines.append(process.stdout.readline())
        assert lines[-1] and time.monotonic() < end, "".join(lines)
    return "".join(lines)


SMALL = ["--config.model.layers=1", "--config.heldout=none"]
COMPILING = {"steps": 100_000, "save_every": 100_000}
MEASURING = {"steps": 100_000, "save_every": 3}


@pytest.mark.parametrize(
    ("when", "settings", "override"),
    [
        ("compiling", COMPILING, "--config.heldout=none"),
        ("measuring", MEASURING, "--config.heldout_batches=100000"),
        ("saving", MEASURING, "--config.heldout=none"),
    ],
)
def test_sigterm_saves_wherever_the_run_is(corpus, tmp_path, when, settings, override):
    workdir = tmp_path / "run"
    process = start(recipe(corpus, tmp_path, **settings), workdir, 1, override, "--config.model.layers=1")
    try:
        said_so_far(process, "parameters on" if when == "compiling" else "compiled the step")
        if when == "measuring":
            time.sleep(2)  # three steps take less, and the held-out batches many minutes
        if when == "saving":
            deadline = time.monotonic() + 60
            while not list(workdir.glob(f"{checkpoint.FOLDER}/*{checkpoint.UNFINISHED}*")):
                assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        code, output = finish(process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert code == 0, output
    saved = max(steps_on_disk(workdir))
    assert f"saved step {saved} of 100000" in output
    assert digests.damage(workdir / checkpoint.FOLDER / str(saved)) == ""
    assert saved <= 2 or when != "compiling"


def test_ctrl_c_saves_the_last_step(corpus, tmp_path):
    workdir = tmp_path / "run"
    process = start(recipe(corpus, corpus.parent, **COMPILING), workdir, 1, *SMALL)
    said_so_far(process, "compiled the step")
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    code, output = finish(process)
    assert code == 130, output
    saved = max(steps_on_disk(workdir))
    assert f"KeyboardInterrupt after step {saved}, which was saved" in output


def test_an_error_saves_the_last_step_and_the_run_goes_on_from_it(corpus, tmp_path, capsys):
    job = small(corpus, tmp_path, save_every=1000)
    whole = loop.run(job, tmp_path / "whole")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "profile").write_text("a file where a trace wants its folder")
    with pytest.raises(Exception, match="profile"):
        loop.run(dataclasses.replace(job, profile_steps=[3, 7]), tmp_path / "run")
    assert "after step 7, which was saved" in capsys.readouterr().out
    assert steps_on_disk(tmp_path / "run") == {7}
    again = loop.run(job, tmp_path / "run")
    assert again["loss"] == whole["loss"]


def test_a_damaged_checkpoint_is_named_and_the_run_goes_on_from_the_one_before(corpus, tmp_path, capsys):
    job = small(corpus, tmp_path)
    loop.run(job, tmp_path)
    step_number, before = everything(tmp_path)
    last = tmp_path / checkpoint.FOLDER / "40"
    path = max(last.rglob("d/*"), key=lambda path: path.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    loop.run(job, tmp_path)
    name = path.relative_to(last).as_posix()
    assert f"{last} is damaged and left out: {name} holds other bytes" in capsys.readouterr().out
    assert [row["step"] for row in rows(tmp_path)] == [*range(5, 41, 5)]
    again, after = everything(tmp_path)
    assert step_number == again == 40 and all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a file system of its own cannot be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_stops_the_run_and_loses_nothing(corpus, tmp_path):
    with small_disk(tmp_path / "disk", 1000) as disk:
        path, workdir = recipe(corpus, corpus.parent, save_every=4), disk / "run"
        code, output = finish(start(path, workdir, 1, "--config.keep=100", *SMALL))
        assert code == 1 and "No space left on device" in output, output
        good = [step for step in steps_on_disk(workdir) if not digests.damage(workdir / checkpoint.FOLDER / str(step))]
        assert good and max(good) < 40
        assert f"{max(good)} is there" in output or f"step {max(good)}" in output, output
        subprocess.run(["mount", "-o", "remount,size=50m", disk], check=True)
        code, output = finish(start(path, workdir, 1, "--config.keep=100", *SMALL))
        assert code == 0, output
        assert [row["step"] for row in rows(workdir)][-1] == 40 == max(steps_on_disk(workdir))


def breaking(monkeypatch, positions):
    """The weights of the batches at these positions of the input are not numbers."""
    whole = mixture

    def broken(*arguments, **named):
        made = whole(*arguments, **named)
        batch = made.batch

        def weightless(window, number):
            found = batch(window, number)
            if window.start * made.per_window + number in positions:
                found.weights[:] = math.nan
            return found

        made.batch = weightless
        return made

    monkeypatch.setattr(loop, "mixture", broken)


def by_hand(job, positions):
    """The params after updates on the batches at these positions."""
    devices = mesh.make(job.mesh)
    tokenizer = tokens.build(job.tokenizer)
    job = dataclasses.replace(job, model=dataclasses.replace(job.model, vocab_size=tokenizer.vocab_size))
    inputs = mixture(job.data, tokenizer)
    with jax.set_mesh(devices):
        state, update = step.init(job, devices), step.compile_update(job, devices)
        for position in positions:
            with contextlib.closing(inputs.batches(position)) as batches:
                state, _ = update(state, {}, mesh.put_batch(devices, next(batches)))
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state.params)]


ANOMALIES = [
    ("skip", [*range(7), *range(8, 40)], r"step 8: loss is nan, .* input position 7; it was left out"),
    # Back to step 5, which is the last one saved that is at least 2 steps before the bad one; then past its batch.
    ("rollback", [*range(5), *range(8, 43)], r"position 7; it is taken back\n.*back at step 5, going on .* position 8"),
]


@pytest.mark.parametrize(("anomaly", "positions", "message"), ANOMALIES, ids=["skip", "rollback"])
def test_a_step_that_breaks_is_left_out_or_taken_back(
    corpus, tmp_path, monkeypatch, capsys, anomaly, positions, message
):
    job = small(corpus, tmp_path, save_every=5)
    job.anomaly, job.rollback = anomaly, 2
    breaking(monkeypatch, {7})
    last = loop.run(job, tmp_path / "run")
    assert re.search(message, capsys.readouterr().out)
    assert last.get("left_out", 0) == 0 and math.isfinite(last["loss"])
    assert sum(row.get("left_out", 0) for row in rows(tmp_path / "run")) == (anomaly == "skip")
    assert [row["step"] for row in rows(tmp_path / "run")] == [*range(5, 41, 5)]
    step_number, params = everything(tmp_path / "run")
    assert step_number == 40
    for a, b in zip(params, by_hand(job, positions), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_that_only_breaks_stops_whatever_the_recipe_says(corpus, tmp_path, monkeypatch):
    job = small(corpus, tmp_path)
    job.anomaly = "skip"
    breaking(monkeypatch, range(5, 40))
    with pytest.raises(loop.BadStep, match=rf"{loop.PATIENCE + 1} steps in a row were left out"):
        loop.run(job, tmp_path / "run")


def test_a_spike_is_far_above_the_steps_before_it():
    """One parameter, whose gradient and loss are given; its value tells which steps counted."""
    job = config.Train(
        model=config.Model(layers=1, width=8, heads=2, kv_heads=2, head_dim=4, mlp_width=16),
        data=config.Data(sources=[config.Source(path="none")], rows=4, length=8),
        optimizer=config.Optimizer(peak=1.0, clip=0.0, schedule="constant", warmup=0.0),
        steps=100,
        spike=6.0,
    )
    params = {"kernel": jnp.ones((1, 1))}
    state = guard.init(job, params)
    noise = np.random.default_rng(0).normal(0, 0.05, 60)
    given = [(2 + noise[i], 1 + noise[-i]) for i in range(50)]
    given[30], given[35], given[40], given[45] = (9.0, 1.0), (2.0, 50.0), (math.inf, 1.0), (2.15, 1.15)
    found = []
    for loss, norm in given:
        gradient = {"kernel": jnp.full((1, 1), norm)}
        new, state, told = guard.update(job, gradient, state, params, jnp.float32(loss))
        assert bool(told["anomaly"]) == bool(np.array_equal(new["kernel"], params["kernel"]))
        params = new
        found.append(bool(told["anomaly"]))
    assert [i for i, bad in enumerate(found) if bad] == [30, 35, 40]
