"""Every attention kernel under the one visibility rule; which one is chosen; the probe that finds a leak."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mathjax import config, mesh
from mathjax.model import kernels
from mathjax.model.attention import EMPTY, attend, visible

T, C = 128, 16


def packed(B=2, T=T):
    """Segments of a third and of half of a row, and padding."""
    cut, end = T // 3, T // 3 + T // 2
    columns = np.arange(T)
    segments = np.where(columns < cut, 1, np.where(columns < end, 2, 0))
    positions = np.where(segments == 1, columns, np.where(segments == 2, columns - cut, EMPTY))
    return [jnp.asarray(np.tile(x, (B, 1)).astype(np.int32)) for x in (segments, positions)]


def arrays(B=2, T=T, H=4, K=2, C=C, dtype=jnp.float32):
    keys = jax.random.split(jax.random.key(1), 3)
    return [jax.random.normal(key, (B, T, N, C), dtype) for key, N in zip(keys, (H, K, K), strict=True)]


@functools.partial(jax.jit, static_argnums=0)
def looked(name, q, k, v, segments, positions):
    """What the real tokens see, and the gradients of a sum of it by queries, keys and values."""

    def total(q, k, v):
        seen = kernels.look(name, segments, positions)(q, k, v)
        seen = jnp.where((segments > 0)[:, :, None, None], seen, 0)
        return jnp.sum(jnp.sin(seen)), seen

    gradient, seen = jax.grad(total, argnums=(0, 1, 2), has_aux=True)(q, k, v)
    return seen, gradient


@pytest.mark.parametrize("name", ["chunked", "splash", "triton"])
@pytest.mark.parametrize("heads", [(4, 2), (3, 3)])
def test_a_kernel_equals_attention_by_the_rule_with_its_gradients(name, heads, monkeypatch):
    monkeypatch.setattr(kernels, "CHUNK", 48)  # which does not divide a row: chunks are of the largest size that does
    H, K = heads
    given = (*arrays(H=H, K=K), *packed())
    for mine, rule in zip(jax.tree.leaves(looked(name, *given)), jax.tree.leaves(looked("xla", *given)), strict=True):
        np.testing.assert_allclose(mine, rule, atol=2e-5)


@pytest.mark.parametrize("name", kernels.NAMES)
def test_packed_equals_alone(name):
    """A segment in the middle of a row sees what it sees at the beginning of one."""
    q, k, v = arrays()
    segments, positions = packed()
    seen, _ = looked(name, q, k, v, segments, positions)
    cut, end = T // 3, T // 3 + T // 2
    front = [jnp.roll(x, -cut, axis=1) for x in (q, k, v)]
    columns = jnp.arange(T)[None].repeat(2, 0)
    one = (columns < end - cut).astype(jnp.int32)
    alone, _ = looked(name, *front, one, jnp.where(one > 0, columns, EMPTY))
    np.testing.assert_allclose(seen[:, cut:end], alone[:, : end - cut], atol=2e-5)


@pytest.mark.parametrize("name", kernels.NAMES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_probe_finds_no_leak(name, dtype):
    kernels.probe(name, 1, T, 4, 2, C, jnp.dtype(dtype))


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        (lambda s, p: p[:, None, :] <= p[:, :, None], "other segments"),
        (lambda s, p: s[:, :, None] == s[:, None, :], "later keys"),
        (lambda s, p: visible(s, p, s, p) & (p[:, None, :] > 0), "a key too few"),
    ],
)
def test_the_probe_stops_at_a_kernel_that_breaks_the_rule(seen, what, monkeypatch):
    monkeypatch.setattr(kernels, "visible", lambda s, p, *_: seen(s, p))
    with pytest.raises(kernels.Leak, match="attention kernel 'xla' on cpu: in rows of 64 tokens, query"):
        kernels.probe("xla", 1, 64, 2, 1, 8, jnp.float32)


@pytest.mark.parametrize("name", ["splash", "triton"])
@pytest.mark.parametrize("sizes", [(2, 2, 2), (1, 1, 4)])
def test_a_kernel_on_many_devices_equals_it_on_one(name, sizes):
    data, fsdp, tensor = sizes
    given = (*arrays(B=8, H=4, K=2), *packed(B=8))
    alone = looked(name, *given)
    with jax.set_mesh(
        mesh.make(config.Mesh(data=data, fsdp=fsdp, tensor=tensor), jax.devices()[: data * fsdp * tensor])
    ):
        split = looked(name, *given)
    for mine, other in zip(jax.tree.leaves(split), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


@pytest.mark.parametrize(
    ("platform", "length", "chosen"),
    [
        ("cpu", 512, "xla"),
        ("cpu", 4096, "chunked"),
        ("tpu", 4096, "splash"),
        ("tpu", 64, "xla"),
        ("tpu", 4000, "chunked"),
        ("gpu", 2048, "triton"),
    ],
)
def test_the_kernel_is_chosen_by_platform_and_shape(platform, length, chosen, monkeypatch):
    monkeypatch.setattr(kernels.chips, "platform", lambda: platform)
    assert kernels.choose("auto", length) == chosen
    assert kernels.choose("xla", length) == "xla"


def test_a_kernel_that_cannot_take_the_rows_is_refused():
    with pytest.raises(ValueError, match="'splash' takes rows of a multiple of 128 tokens, got 100"):
        kernels.choose("splash", 100)


def test_chunked_attention_never_holds_all_scores():
    """The compiled gradient of a long row takes a fraction of the memory that it takes with all scores at once."""
    q, k, v = (jax.ShapeDtypeStruct((1, 4096, n, C), jnp.float32) for n in (2, 1, 1))
    ids = jax.ShapeDtypeStruct((1, 4096), jnp.int32)

    def memory(name):
        return looked.lower(name, q, k, v, ids, ids).compile().memory_analysis().temp_size_in_bytes

    assert memory("chunked") < memory("xla") / 4


def test_the_rule_itself_is_attend_under_visible():
    q, k, v = arrays()
    segments, positions = packed()
    whole = attend(q, k, v, visible(segments, positions, segments, positions))
    np.testing.assert_array_equal(kernels.look("xla", segments, positions)(q, k, v), whole)
