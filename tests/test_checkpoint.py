"""Checkpoints: what is saved comes back, placed anywhere; what is half-written is not there."""

import dataclasses
import functools

import jax
import numpy as np
import pytest

from mathjax import checkpoint, config, digests, mesh
from mathjax.model import decoder
from mathjax.train import step

MODEL = config.Model(vocab_size=24, layers=2, width=32, heads=4, kv_heads=2, head_dim=8, mlp_width=64)
JOB = config.Train(
    model=MODEL,
    data=config.Data(sources=[config.Source(path="none")], rows=8, length=12),
    optimizer=config.Optimizer(peak=1e-2),
    steps=20,
)
ABOUT = {"model": dataclasses.asdict(MODEL), "tokenizer": {}, "recipe": dataclasses.asdict(JOB), "position": 7}


@pytest.fixture(scope="module")
def params():
    return jax.jit(functools.partial(decoder.init, MODEL))(jax.random.key(0))


def save(folder, params, numbers, **settings):
    losses = settings.pop("losses", {})
    with checkpoint.Checkpoints(folder, **settings) as checkpoints:
        for number in numbers:
            checkpoints.save(number, params, {"count": np.int32(number)}, ABOUT, loss=losses.get(number))


def same(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_model_is_loaded_onto_any_mesh(tmp_path, params):
    save(tmp_path, params, [3])
    for sizes in (config.Mesh(), config.Mesh(data=1, fsdp=4, tensor=2)):
        loaded = checkpoint.load(tmp_path, mesh.make(sizes))
        same(loaded.params, params)
        assert (loaded.step, loaded.model, loaded.about["position"]) == (3, MODEL, 7)


def test_a_state_is_restored_where_it_will_lie(tmp_path):
    one, other = mesh.make(config.Mesh(data=8)), mesh.make(config.Mesh(data=1, fsdp=4, tensor=2))
    state = step.init(JOB, one)
    with checkpoint.Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(5, state.params, state.optimizer, ABOUT)
        checkpoints.wait()
        wanted = step.abstract(JOB, other)
        found = checkpoints.restore(5, wanted.params, wanted.optimizer)
    same(found, (state.params, state.optimizer))
    assert found[0]["layers"]["mlp"]["up"]["kernel"].sharding == wanted.params["layers"]["mlp"]["up"]["kernel"].sharding


def test_the_last_and_the_best_are_kept(tmp_path, params):
    save(tmp_path, params, [1, 2, 3, 4, 5], keep=2, keep_best=1, losses={1: 3.0, 2: 1.0, 3: 2.0, 4: 2.5, 5: 2.2})
    assert sorted(int(entry.name) for entry in (tmp_path / checkpoint.FOLDER).glob("[0-9]*")) == [2, 4, 5]


def test_a_half_written_step_is_not_there(tmp_path, params):
    save(tmp_path, params, [3])
    (tmp_path / checkpoint.FOLDER / "9.orbax-checkpoint-tmp" / "params").mkdir(parents=True)
    assert checkpoint.find(tmp_path).name == "3"
    with checkpoint.Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.latest() == 3


def test_a_step_is_found_from_the_run_or_by_its_own_folder(tmp_path, params):
    save(tmp_path, params, [3, 12], keep=2)
    assert checkpoint.find(tmp_path).name == "12"
    assert checkpoint.find(tmp_path / checkpoint.FOLDER / "3").name == "3"


@pytest.mark.parametrize("there", [True, False])
def test_a_missing_checkpoint_says_what_is_there(tmp_path, there):
    if there:
        (tmp_path / "notes.txt").write_text("")
    with pytest.raises(FileNotFoundError, match=r"notes\.txt" if there else "no such folder"):
        checkpoint.find(tmp_path if there else tmp_path / "nowhere")


def test_a_model_is_loaded_from_the_last_step_that_is_whole(tmp_path, params, capsys):
    save(tmp_path, params, [3, 5], keep=2)
    [data, *_] = sorted((tmp_path / checkpoint.FOLDER / "5" / "params").rglob("d/*"))
    data.write_bytes(data.read_bytes()[:-1])
    loaded = checkpoint.load(tmp_path)
    assert loaded.step == 3 and f"{checkpoint.FOLDER}/5 is damaged and left out" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"5 is damaged: params/.* bytes, .* were written"):
        checkpoint.load(tmp_path / checkpoint.FOLDER / "5")


def test_a_damaged_optimizer_keeps_nobody_from_loading_the_model(tmp_path, params):
    save(tmp_path, params, [3])
    [data, *_] = sorted((tmp_path / checkpoint.FOLDER / "3" / "optimizer").rglob("d/*"))
    data.unlink()
    assert checkpoint.load(tmp_path).step == 3


def test_the_steps_after_one_are_dropped_and_can_be_saved_again(tmp_path, params):
    with checkpoint.Checkpoints(tmp_path, keep=9) as checkpoints:
        for step_number in (1, 2, 3):
            checkpoints.save(step_number, params, {"count": np.int32(1)}, ABOUT)
        assert checkpoints.latest(2) == 2
        checkpoints.drop_after(1)
        assert checkpoints.latest() == 1
        checkpoints.save(2, params, {"count": np.int32(7)}, ABOUT)
        assert checkpoints.latest() == 2


def _shorter(step):
    path = _largest(step)
    path.write_bytes(path.read_bytes()[:-1])
    return f"{path.relative_to(step)} has"


def _flipped(step):
    path = _largest(step)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return f"{path.relative_to(step)} holds other bytes"


def _gone(step):
    path = _largest(step)
    path.unlink()
    return f"{path.relative_to(step)}: No such file"


def _half_copied(step):
    (step / digests.NAME).unlink()
    return f"{digests.NAME} is missing"


def _largest(step):
    return max((path for path in step.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize("damage", [_shorter, _flipped, _gone, _half_copied])
def test_a_run_goes_on_from_the_last_step_that_is_whole(tmp_path, params, damage, capsys):
    save(tmp_path, params, [1, 2, 3], keep=3)
    folder = tmp_path / checkpoint.FOLDER
    whys = [damage(folder / "3"), damage(folder / "2")]
    with checkpoint.Checkpoints(tmp_path, keep=3) as checkpoints:
        assert checkpoints.latest() == 1
        said = capsys.readouterr().out
        for step, why in zip((3, 2), whys, strict=True):
            assert f"{folder}/{step} is damaged and left out: {why}" in said
        damage(folder / "1")
        with pytest.raises(ValueError, match="no checkpoint is whole"):
            checkpoints.latest()
