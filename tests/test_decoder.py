"""The decoder: packed equals alone, cached equals whole, layouts of layers change nothing."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mathjax.config import Model
from mathjax.model import decoder, pages
from mathjax.model.attention import EMPTY

SHAPES = {
    "plain": Model(vocab_size=24, layers=3, width=32, heads=4, kv_heads=4, head_dim=8, mlp_width=48),
    "grouped, untied, Qwen's": Model(
        vocab_size=24,
        layers=2,
        width=32,
        heads=4,
        kv_heads=2,
        head_dim=12,
        mlp_width=48,
        tied_embeddings=False,
        qkv_bias=True,
        qk_norm=True,
    ),
}


@pytest.fixture(params=SHAPES, scope="module")
def model(request):
    return SHAPES[request.param]


@pytest.fixture(scope="module")
def params(model):
    return sharpened(model)


def sharpened(model):
    """Params of a size at which attention looks at something."""
    params = jax.jit(functools.partial(decoder.init, model))(jax.random.key(0))
    return jax.tree.map(lambda x: x * 5 if x.ndim > 1 else x, params)


def apply(model, *args, **settings):
    return jax.jit(functools.partial(decoder.apply, model, **settings))(*args)


def extend(model, *args):
    return jax.jit(functools.partial(decoder.extend, model))(*args)


def alone(count):
    """A table of `count` sequences with a page each, in the other order."""
    own = np.arange(count - 1, -1, -1, dtype=np.int32)
    firsts, chunks = np.zeros((1, count + 1), np.int32), np.int32(1)
    members = np.append(own, count).reshape(1, -1, 1).astype(np.int32)
    return pages.Table(members=members, firsts=firsts, places=own.reshape(1, -1, 1), chunks=chunks, chunk=count + 1)


def continued(model, params, tokens):
    """Hidden states [B, T, D] of rows of tokens, one token at a time, and the cache."""
    cache, found, starts = pages.empty(model, 1, len(tokens) + 1), [], jnp.zeros(len(tokens), jnp.int32)
    for place in range(tokens.shape[1]):
        at = jnp.full(len(tokens), place, jnp.int32)
        hidden, cache = extend(model, params, tokens[:, place], at, starts, cache, alone(len(tokens)))
        found.append(hidden)
    return jnp.stack(found, axis=1), cache


def rows(lengths, total, seed=1):
    """One row of segments of the given lengths, then padding: tokens, positions, segments [1, total]."""
    tokens = jax.random.randint(jax.random.key(seed), (1, total), 0, 24)
    positions = [p for length in lengths for p in range(length)]
    segments = [s + 1 for s, length in enumerate(lengths) for _ in range(length)]
    pad = total - len(positions)
    return tokens, jnp.array([positions + [EMPTY] * pad], jnp.int32), jnp.array([segments + [0] * pad], jnp.int32)


def test_params_are_a_plain_nested_dict(params):
    def plain(tree):
        return all(plain(v) if isinstance(v, dict) else isinstance(v, jax.Array) for v in tree.values())

    assert type(params) is dict and plain(params)


def test_packed_and_padded_equal_alone(model, params):
    tokens, positions, segments = rows([5, 7, 3], 20)
    whole = apply(model, params, tokens, positions, segments)
    start = 0
    for length in (5, 7, 3):
        part = slice(start, start + length)
        alone = apply(model, params, tokens[:, part], *rows([length], length)[1:])
        np.testing.assert_allclose(whole[:, part], alone, atol=1e-5)
        start += length


def test_tokens_do_not_depend_on_later_ones(model, params):
    tokens, positions, segments = rows([12], 12)
    changed = tokens.at[0, 7].set((tokens[0, 7] + 1) % 24)
    before = apply(model, params, tokens, positions, segments)
    after = apply(model, params, changed, positions, segments)
    np.testing.assert_array_equal(before[:, :7], after[:, :7])
    assert bool(jnp.all(jnp.any(before[:, 7:] != after[:, 7:], axis=-1)))


def test_a_cache_extended_token_by_token_gives_the_whole(model, params):
    tokens, positions, segments = rows([12], 12)
    other = jax.random.randint(jax.random.key(2), (1, 12), 0, 24)
    tokens, positions, segments = (
        jnp.concatenate([tokens, other]),
        *(jnp.concatenate([x, x]) for x in (positions, segments)),
    )
    whole = apply(model, params, tokens, positions, segments)
    found, _ = continued(model, params, tokens)
    np.testing.assert_allclose(found, whole, atol=2e-5)


def test_a_token_without_a_position_or_a_page_is_not_written(model, params):
    cache, table = pages.empty(model, 1, 3), alone(2)
    for position in (EMPTY, pages.PAGE):
        at = jnp.full(2, position, jnp.int32)
        _, kept = extend(model, params, jnp.array([3, 4]), at, jnp.zeros(2, jnp.int32), cache, table)
        assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool(jnp.all(a == b)), kept, cache)))


@pytest.mark.parametrize("settings", [{"remat": "layers"}, {"remat": "products"}, {"unroll": 3}, {"unroll": 2}])
def test_remat_and_unrolling_change_no_gradient(settings):
    model = SHAPES["plain"]
    params, batch = sharpened(model), rows([9, 6], 16)

    def loss(params, **settings):
        return jnp.sum(jnp.square(decoder.logits(model, params, apply(model, params, *batch, **settings))))

    expected = jax.jit(jax.grad(loss))(params)
    found = jax.jit(jax.grad(functools.partial(loss, **settings)))(params)
    for a, b in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * float(jnp.abs(a).max()))


def test_params_are_a_function_of_the_key():
    init = jax.jit(functools.partial(decoder.init, SHAPES["plain"]))
    one, same, other = (init(jax.random.key(seed)) for seed in (3, 3, 4))
    kernels = [p["layers"]["mlp"]["up"]["kernel"] for p in (one, same, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert bool(jnp.all(kernels[0] != kernels[2]))
    assert bool(jnp.all(kernels[0][0] != kernels[0][1]))  # layers differ


def test_bfloat16_products_stay_near_float32():
    model = SHAPES["plain"]
    params, batch = sharpened(model), rows([9, 6], 16)
    exact = apply(model, params, *batch)
    near = apply(model, params, *batch, dtype=jnp.bfloat16)
    assert near.dtype == jnp.bfloat16
    assert float(jnp.abs(near[:, :15] - exact[:, :15]).mean()) < 0.1 * float(jnp.abs(exact[:, :15]).mean())
