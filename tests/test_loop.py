"""Training as a user meets it: killed, stopped, broken and started again."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from mathjax import checkpoint, config, records
from mathjax.train import loop

RECIPE = """
from mathjax.config import Data, Mesh, Model, Optimizer, Source, Train

def get_config():
    data = dict(sources=[Source(path={path!r})], rows=16, length=32)
    return Train(
        model=Model(layers=2, width=32, heads=2, kv_heads=1, head_dim=16, mlp_width=64),
        data=Data(**data),
        heldout=Data(**data),
        heldout_batches=2,
        optimizer=Optimizer(peak=3e-3),
        steps={steps},
        save_every={save_every},
        log_every=5,
        mesh=Mesh(data={data}, fsdp={fsdp}),
        dtype="float32",
    )
"""
SCRIPTS = pathlib.Path(__file__).parents[1] / "scripts"


def write_corpus(folder):
    """Two thousand sums, as a file of records."""
    path = folder / "sums.jsonl"
    pairs = np.random.default_rng(0).integers(0, 100, (2000, 2)).tolist()
    rows = [
        records.Record(question=f"{a}+{b}=", solution=str(a + b), answer=str(a + b), style="arithmetic")
        for a, b in pairs
    ]
    records.write(path, rows)
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def recipe(corpus, folder, *, steps=40, save_every=10, data=1, fsdp=1):
    path = folder / "recipe.py"
    path.write_text(RECIPE.format(path=str(corpus), steps=steps, save_every=save_every, data=data, fsdp=fsdp))
    return path


def start(config_path, workdir, devices=1, *settings):
    """A real training process, as a user starts it."""
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": str(devices)}
    environment["XDG_CACHE_HOME"] = str(config_path.parent)  # of compiled programs
    command = [sys.executable, SCRIPTS / "train.py", f"--config={config_path}", f"--workdir={workdir}", *settings]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=environment, **output)


def finish(process):
    output, _ = process.communicate(timeout=200)
    return process.returncode, output


def when(happens, process, seconds=120):
    """Wait until `happens()`; fail if the process ends or the time is up before."""
    end = time.time() + seconds
    while not happens():
        assert process.poll() is None, process.stdout and process.communicate()[0]
        assert time.time() < end, "it did not happen"
        time.sleep(0.02)


def steps_on_disk(workdir):
    return {int(entry.name) for entry in (workdir / checkpoint.FOLDER).glob("*") if entry.name.isdigit()}


def rows(workdir):
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def everything(workdir):
    """The bytes of the last params, from a fresh reading."""
    loaded = checkpoint.load(workdir)
    return loaded.step, [np.asarray(leaf) for leaf in jax.tree.leaves(loaded.params)]


@pytest.mark.parametrize(("devices", "data", "fsdp"), [(1, 1, 1), (8, 4, 2)])
def test_a_run_killed_twice_ends_with_the_bits_of_an_unbroken_one(corpus, tmp_path, devices, data, fsdp):
    path = recipe(corpus, tmp_path, data=data, fsdp=fsdp)
    assert finish(start(path, tmp_path / "unbroken", devices))[0] == 0
    for wait_for in (10, 30):
        process = start(path, tmp_path / "broken", devices)
        when(lambda least=wait_for: max(steps_on_disk(tmp_path / "broken"), default=0) >= least, process)
        process.send_signal(signal.SIGKILL)
        assert finish(process)[0] == -signal.SIGKILL
    code, output = finish(start(path, tmp_path / "broken", devices))
    assert code == 0, output
    (step, one), (same_step, two) = everything(tmp_path / "unbroken"), everything(tmp_path / "broken")
    assert step == same_step == 40
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    losses = [
        [(row["step"], row["loss"], row.get("heldout_loss")) for row in rows(tmp_path / name)]
        for name in ("unbroken", "broken")
    ]
    assert losses[0] == losses[1]


def test_sigterm_saves_at_the_next_step_and_exits_with_0(corpus, tmp_path):
    path, workdir = recipe(corpus, tmp_path, steps=100_000, save_every=100_000), tmp_path / "run"
    process = start(path, workdir)
    when(lambda: (workdir / "metrics.jsonl").exists() and rows(workdir), process)
    process.send_signal(signal.SIGTERM)
    code, output = finish(process)
    assert code == 0, output
    [saved] = steps_on_disk(workdir)
    assert f"saved step {saved} of 100000" in output
    assert rows(workdir)[-1]["step"] == saved


def test_a_loss_that_is_not_finite_names_step_batch_and_last_good_checkpoint(corpus, tmp_path):
    job = config_of(corpus, tmp_path)
    job.steps, job.optimizer.peak, job.optimizer.clip, job.save_every = 40, 1e30, 0.0, 1
    job.optimizer.schedule, job.optimizer.warmup = "constant", 0.5
    with pytest.raises(
        loop.BadStep, match=r"step \d+: loss is .*input position \d+; last good checkpoint: .*"
    ) as caught:
        loop.run(job, tmp_path / "run")
    good = checkpoint.load(tmp_path / "run")
    assert str(tmp_path / "run" / checkpoint.FOLDER / str(good.step)) in str(caught.value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(good.params))


def test_another_recipe_in_the_same_folder_is_an_error_that_says_what_differs(corpus, tmp_path):
    loop.run(config_of(corpus, tmp_path, steps=2), tmp_path / "run")
    other = config_of(corpus, tmp_path, steps=2)
    other.optimizer.peak = 1e-4
    with pytest.raises(ValueError, match=r"optimizer\.peak: 0\.003 -> 0\.0001"):
        loop.run(other, tmp_path / "run")


def test_a_finished_run_is_not_run_again(corpus, tmp_path, capsys):
    job = config_of(corpus, tmp_path, steps=2)
    loop.run(job, tmp_path / "run")
    before = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    loop.run(job, tmp_path / "run")
    assert "already trained to step 2" in capsys.readouterr().out
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == before


def test_a_checkpoint_says_what_it_is(corpus, tmp_path):
    job = config_of(corpus, tmp_path, steps=2)
    loop.run(job, tmp_path / "run")
    about = checkpoint.load(tmp_path / "run").about
    assert config.from_dict(config.Train, about["recipe"]).optimizer == job.optimizer
    assert list(about["digests"]) == [str(corpus)]
    assert about["tokenizer"] and about["position"] > 0


def test_rows_that_the_devices_cannot_share_are_an_error(corpus, tmp_path):
    job = config_of(corpus, tmp_path)
    job.mesh = config.Mesh(data=8)
    job.data.rows = 12
    with pytest.raises(ValueError, match=r"data\.rows=12 must be a multiple of .* = 8"):
        loop.run(job, tmp_path / "run")


def config_of(corpus, folder, **settings):
    """The recipe's job; on a mesh of all the simulated devices."""
    names = {}
    exec(recipe(corpus, folder, **settings).read_text(), names)
    job = names["get_config"]()
    job.mesh = config.Mesh()
    return job
