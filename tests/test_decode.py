"""The choice of the next token, and what a compiled look costs."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mathjax import config
from mathjax.model import decoder
from mathjax.model.attention import EMPTY, attend, attend_cache, visible
from mathjax.sample import decode

MODEL = config.Model(vocab_size=24, layers=2, width=32, heads=4, kv_heads=2, head_dim=8, mlp_width=48)
LOGITS = np.array([1.0, 3.0, 0.5, 3.0, -2.0, 2.0, 0.0, 2.5], np.float32)  # tokens 1 and 3 are as likely


def choose(logits, keys, **settings):
    """`decode.choose` with one temperature, top_k and top_p for all rows."""
    B = len(logits)
    asked = {"temperature": 0.0, "top_k": 0, "top_p": 1.0} | settings
    dtypes = {"temperature": jnp.float32, "top_k": jnp.int32, "top_p": jnp.float32}
    return jax.jit(decode.choose)(
        jnp.asarray(logits), keys, **{name: jnp.full(B, value, dtypes[name]) for name, value in asked.items()}
    )


def draws(count, **settings):
    """`count` tokens drawn from LOGITS."""
    keys = jax.random.split(jax.random.key(0), count)
    return np.asarray(choose(np.tile(LOGITS, (count, 1)), keys, **settings)[0])


def shares(temperature, top_k, top_p):
    """The probability of each token of LOGITS, by the words: temperature, then top-k, then top-p."""
    scaled = LOGITS / np.float32(temperature)
    order = sorted(range(len(scaled)), key=lambda token: (-scaled[token], token))
    order = order[: top_k or len(order)]
    weights = np.exp(scaled[order] - scaled[order].max())
    weights /= weights.sum()
    fewest = next(n for n in range(1, len(order) + 1) if n == len(order) or weights[:n].sum() >= top_p)
    found = np.zeros(len(scaled))
    found[order[:fewest]] = weights[:fewest] / weights[:fewest].sum()
    return found


def test_temperature_0_takes_the_likeliest_and_of_equals_the_lowest():
    assert draws(3).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"),
    [
        (1.0, 0, 1.0),
        (0.5, 0, 1.0),
        (2.0, 0, 1.0),
        (1.0, 3, 1.0),
        (1.0, 1, 1.0),  # of two equals the lower stays
        (1.0, 100, 1.0),
        (1.0, 0, 0.3),
        (1.0, 0, 0.8),
        (2.0, 0, 0.8),  # what adds up to 0.8 depends on the temperature
        (1.0, 4, 0.8),  # and on what top-k left
        (1.0, 0, 1e-9),  # never none
    ],
)
def test_tokens_are_drawn_by_temperature_then_top_k_then_top_p(temperature, top_k, top_p):
    count, expected = 20_000, shares(temperature, top_k, top_p)
    found = np.bincount(draws(count, temperature=temperature, top_k=top_k, top_p=top_p), minlength=len(LOGITS))
    assert set(np.flatnonzero(found)) <= set(np.flatnonzero(expected))
    deviation = np.sqrt(count * expected * (1 - expected))
    assert np.all(np.abs(found - count * expected) <= 5 * deviation)


def test_log_probabilities_are_those_of_the_model_whatever_is_left_out():
    keys = jax.random.split(jax.random.key(1), 50)
    tokens, found = choose(np.tile(LOGITS, (50, 1)), keys, temperature=3.0, top_k=5, top_p=0.9)
    expected = LOGITS - np.log(np.sum(np.exp(LOGITS)))
    np.testing.assert_allclose(found, expected[np.asarray(tokens)], atol=1e-6)


def test_rows_of_different_settings_are_chosen_as_if_alone():
    temperature, top_k, top_p = [0.0, 1.0, 1.0, 0.7, 0.0], [0, 0, 2, 0, 3], [1.0, 1.0, 1.0, 0.6, 0.5]
    keys, logits = jax.random.split(jax.random.key(2), 5), np.random.default_rng(3).normal(0, 3, (5, 24))
    settings = jnp.array(temperature), jnp.array(top_k), jnp.array(top_p)
    together = jax.jit(decode.choose)(logits, keys, *settings)[0]
    for row in range(5):
        one = slice(row, row + 1)
        alone = choose(logits[one], keys[one], temperature=temperature[row], top_k=top_k[row], top_p=top_p[row])
        assert int(alone[0][0]) == int(together[row])


def test_the_key_of_a_completion_is_its_own():
    seed, request, sample = (jnp.array(x, jnp.uint32) for x in ([5, 5, 5, 6], [1, 2, 1, 1], [0, 0, 1, 0]))
    keys = decode.completion_keys(seed, request, sample)
    assert len({tuple(np.asarray(jax.random.key_data(key))) for key in keys}) == 4
    expected = jax.random.fold_in(jax.random.fold_in(jax.random.key(5), 2), 0)
    np.testing.assert_array_equal(jax.random.key_data(keys[1]), jax.random.key_data(expected))


def test_attention_to_a_cache_is_attention():
    random = np.random.default_rng(0)
    queries, keys, values = (random.standard_normal(shape) for shape in ((3, 5, 4, 8), (3, 7, 2, 8), (3, 7, 2, 8)))
    held = np.array([[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, EMPTY, EMPTY], [4, 3, 2, 1, 0, EMPTY, 5]], np.int32)
    positions = np.tile(np.arange(2, 7)[None], (3, 1))
    seen = visible(np.zeros_like(positions), positions, np.zeros_like(held), held)
    found = jax.jit(attend_cache)(queries, keys.transpose(0, 2, 3, 1), values.transpose(0, 2, 1, 3), seen)
    np.testing.assert_allclose(found, jax.jit(attend)(queries, keys, values, seen), atol=1e-6)


def test_a_look_writes_the_cache_in_place():
    slots, length = 64, 512
    settings = dict(steps=4, stops=(1,), dtype=jnp.float32)
    params = jax.eval_shape(lambda: decoder.unstack(decoder.init(MODEL, jax.random.key(0))))
    state = jax.eval_shape(functools.partial(decode.empty, MODEL, slots, length, jnp.float32))
    advance = jax.jit(functools.partial(decode.advance, MODEL, **settings), donate_argnums=1)
    memory = advance.lower(params, state).compile().memory_analysis()
    one_layer = slots * length * 2 * 8 * 4
    cache = 2 * MODEL.layers * one_layer
    assert memory.alias_size_in_bytes >= cache  # donated
    assert memory.temp_size_in_bytes < one_layer  # and never copied, not even a layer's keys
