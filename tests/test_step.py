"""One update: losses, gradients, weights, layouts."""

import dataclasses

import jax
import numpy as np
import pytest

from mathjax import config, mesh
from mathjax.data.batch import Batch
from mathjax.model import decoder
from mathjax.model.attention import EMPTY
from mathjax.train import losses, step

MODEL = config.Model(vocab_size=24, layers=2, width=32, heads=4, kv_heads=2, head_dim=8, mlp_width=64)


def recipe(**settings):
    values = {
        "model": MODEL,
        "data": config.Data(sources=[config.Source(path="none")], rows=16, length=12),
        "optimizer": config.Optimizer(peak=1e-2),
        "steps": 20,
        "dtype": "float32",
        "mesh": config.Mesh(data=1),
    }
    return config.Train(**(values | settings))


def batch(rows=16, length=12, seed=0):
    """Rows of two segments and padding, weights uneven between rows."""
    rng = np.random.default_rng(seed)
    positions, segments = np.full((rows, length), EMPTY, np.int32), np.zeros((rows, length), np.int32)
    for row in range(rows):
        cut, end = sorted(rng.integers(2, length + 1, 2))
        segments[row, :cut], segments[row, cut:end] = 1, 2
        positions[row, :cut], positions[row, cut:end] = np.arange(cut), np.arange(end - cut)
    ids = rng.integers(0, 24, (2, rows, length)).astype(np.int32)
    weights = ((rng.random((rows, length)) < 0.7) & (segments > 0)).astype(np.float32)
    return Batch(tokens=ids[0], targets=ids[1], weights=weights, segments=segments, positions=positions)


def updated(job, devices, batches):
    """(state, metrics of each update) after the given batches."""
    devices = mesh.make(job.mesh, devices)
    with jax.set_mesh(devices):
        state, update, seen = step.init(job, devices), step.compile_update(job, devices), []
        for one in batches:
            state, metrics = update(state, {}, mesh.put_batch(devices, one))
            seen.append(jax.device_get(metrics))
    return jax.device_get(state), seen


@jax.jit
def fresh():
    """The params that `step.init` begins with."""
    return decoder.init(MODEL, jax.random.key(0))


@jax.jit
def scored(params, batch):
    """Log-probabilities of every token at every place."""
    hidden = decoder.apply(MODEL, params, batch.tokens, batch.positions, batch.segments)
    return jax.nn.log_softmax(decoder.logits(MODEL, params, hidden))


def close(a, b, tolerance):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


def test_the_loss_is_the_mean_over_weighted_targets():
    one = batch()
    _, [metrics] = updated(recipe(), jax.devices()[:1], [one])
    scores = scored(fresh(), one)
    chosen = np.take_along_axis(np.asarray(scores), one.targets[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(metrics["loss"], -(chosen * one.weights).sum() / one.weights.sum(), rtol=1e-5)
    assert metrics["tokens"] == (one.segments > 0).sum()
    assert metrics["pairs"] == sum(p + 1 for p in one.positions[one.segments > 0].tolist())


@pytest.fixture(scope="module")
def on_one_device():
    """Four updates on one device: the batches, the state after them, the metrics of each."""
    batches = [batch(seed=n) for n in range(4)]
    return batches, *updated(recipe(), jax.devices()[:1], batches)


@pytest.mark.parametrize("sizes", [(2, 1, 1), (1, 4, 1), (2, 2, 2)])
def test_every_layout_learns_the_same(sizes, on_one_device):
    batches, expected, before = on_one_device
    data, fsdp, tensor = sizes
    job = recipe(mesh=config.Mesh(data=data, fsdp=fsdp, tensor=tensor))
    found, after = updated(job, jax.devices()[: data * fsdp * tensor], batches)
    np.testing.assert_allclose([m["loss"] for m in after], [m["loss"] for m in before], rtol=2e-5)
    close(found.params, expected.params, 2e-3)


def test_parts_of_a_batch_add_up_to_the_whole(on_one_device):
    batches, whole, before = on_one_device
    parts, after = updated(recipe(accumulate=4), jax.devices()[:1], batches)
    np.testing.assert_allclose([m["loss"] for m in after], [m["loss"] for m in before], rtol=1e-5)
    close(parts.params, whole.params, 1e-3)


def test_an_optimizer_on_the_host_learns_the_same_and_lies_there(on_one_device):
    batches, expected, before = on_one_device
    job = recipe(offload=True, mesh=config.Mesh(data=2, fsdp=2))
    devices = mesh.make(job.mesh, jax.devices()[:4])
    with jax.set_mesh(devices):
        state, update, seen = step.init(job, devices), step.compile_update(job, devices), []
        for one in batches:
            state, metrics = update(state, {}, mesh.put_batch(devices, one))
            seen.append(float(metrics["loss"]))
    np.testing.assert_allclose(seen, [m["loss"] for m in before], rtol=2e-5)
    close(jax.device_get(state.params), expected.params, 2e-3)
    kinds = {leaf.sharding.memory_kind for leaf in jax.tree.leaves(state.optimizer) if leaf.ndim}
    assert kinds == {"pinned_host"}
    assert {leaf.sharding.memory_kind for leaf in jax.tree.leaves(state.params)} == {"device"}


def test_a_first_moment_in_bfloat16_learns_nearly_the_same(on_one_device):
    batches, _, before = on_one_device
    half = config.Optimizer(peak=1e-2, momentum_dtype="bfloat16")
    state, after = updated(recipe(optimizer=half), jax.devices()[:1], batches)
    np.testing.assert_allclose([m["loss"] for m in after], [m["loss"] for m in before], rtol=1e-3)
    dtypes = {str(leaf.dtype) for leaf in jax.tree.leaves(state.optimizer) if leaf.ndim > 1}
    assert dtypes == {"bfloat16", "float32"}


def test_the_probe_runs_on_the_kernel_the_step_will_use(monkeypatch):
    probed = []
    monkeypatch.setattr(step.kernels, "probe", lambda *arguments: probed.append(arguments))
    job = recipe(attention="chunked", heldout=config.Data(sources=[config.Source(path="none")], rows=16, length=24))
    step.probe(job, mesh.make(config.Mesh(data=2, fsdp=2), jax.devices()[:4]))
    assert sorted((name, rows, length) for name, rows, length, *_ in probed) == [("chunked", 4, 12), ("chunked", 4, 24)]


def test_targets_of_weight_zero_have_no_gradient():
    one = batch()
    silent = dataclasses.replace(one, targets=np.where(one.weights == 0, (one.targets + 1) % 24, one.targets))
    a, _ = updated(recipe(), jax.devices()[:1], [one])
    b, _ = updated(recipe(), jax.devices()[:1], [silent])
    for x, y in zip(jax.tree.leaves(a.params), jax.tree.leaves(b.params), strict=True):
        np.testing.assert_array_equal(x, y)


def test_chunked_cross_entropy_equals_the_whole(monkeypatch):
    one, params = batch(), fresh()

    def value(params):
        hidden = decoder.apply(MODEL, params, one.tokens, one.positions, one.segments)
        return losses.cross_entropy(MODEL, params, hidden, one.targets, one.weights)[0]

    whole = jax.jit(jax.value_and_grad(value))(params)
    monkeypatch.setattr(losses, "CHUNK", 16 * 3 * 24)
    chunked = jax.jit(jax.value_and_grad(lambda params: value(params)))(params)
    np.testing.assert_allclose(chunked[0], whole[0], rtol=1e-5)
    close(chunked[1], whole[1], 1e-4)


def test_the_same_batches_give_the_same_bits(on_one_device):
    batches, one, _ = on_one_device
    two, _ = updated(recipe(), jax.devices()[:1], batches)
    for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(("name", "remat"), [("adamw", "layers"), ("muon", "none")])
def test_a_batch_is_learned_by_heart(name, remat):
    job = recipe(optimizer=config.Optimizer(name=name, peak=1e-2, schedule="constant"), steps=60, remat=remat)
    one = batch()
    one = dataclasses.replace(one, targets=(one.tokens * 7 + 3) % 24)
    _, seen = updated(job, jax.devices()[:1], [one] * 60)
    assert seen[0]["loss"] > 2.5 and seen[-1]["loss"] < 0.1 and seen[-1]["accuracy"] > 0.99
