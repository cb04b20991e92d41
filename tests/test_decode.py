"""The choice of the next token, and what a compiled look costs."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mathjax import config
from mathjax.model import decoder
from mathjax.model.attention import EMPTY, attend, attend_cache, attend_shared, visible
from mathjax.sample import decode

MODEL = config.Model(vocab_size=24, layers=2, width=32, heads=4, kv_heads=2, head_dim=8, mlp_width=48)
LOGITS = np.array([1.0, 3.0, 0.5, 3.0, -2.0, 2.0, 0.0, 2.5], np.float32)  # tokens 1 and 3 are as likely


def choose(logits, keys, **settings):
    """`decode.choose` with one temperature, top_k, top_p and min_p for all rows."""
    B = len(logits)
    asked = {"temperature": 0.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0} | settings
    dtypes = {"temperature": jnp.float32, "top_k": jnp.int32, "top_p": jnp.float32, "min_p": jnp.float32}
    return jax.jit(decode.choose)(
        jnp.asarray(logits), keys, **{name: jnp.full(B, value, dtypes[name]) for name, value in asked.items()}
    )


def draws(count, **settings):
    """`count` tokens drawn from LOGITS."""
    keys = jax.random.split(jax.random.key(0), count)
    return np.asarray(choose(np.tile(LOGITS, (count, 1)), keys, **settings)[0])


def shares(temperature, top_k, top_p, min_p, logits=LOGITS):
    """The probability of each token, by the words: temperature, then top-k, then top-p, then min-p."""
    scaled = logits / np.float32(temperature)
    order = sorted(range(len(scaled)), key=lambda token: (-scaled[token], token))
    order = order[: top_k or len(order)]
    weights = np.exp(scaled[order] - scaled[order].max())
    weights /= weights.sum()
    fewest = next(n for n in range(1, len(order) + 1) if n == len(order) or weights[:n].sum() >= top_p)
    found = np.zeros(len(scaled))
    found[order[:fewest]] = weights[:fewest]
    found[found < min_p * weights[0]] = 0
    return found / found.sum()


def test_temperature_0_takes_the_likeliest_and_of_equals_the_lowest():
    assert draws(3).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p", "min_p"),
    [
        (1.0, 0, 1.0, 0.0),
        (0.5, 0, 1.0, 0.0),
        (2.0, 0, 1.0, 0.0),
        (1.0, 3, 1.0, 0.0),
        (1.0, 1, 1.0, 0.0),  # of two equals the lower stays
        (1.0, 100, 1.0, 0.0),
        (1.0, 0, 0.3, 0.0),
        (1.0, 0, 0.4, 0.0),  # of two equals both
        (1.0, 0, 0.8, 0.0),
        (2.0, 0, 0.8, 0.0),  # what adds up to 0.8 depends on the temperature
        (1.0, 4, 0.8, 0.0),  # and on what top-k left
        (1.0, 0, 1e-9, 0.0),  # never none
        (1.0, 0, 1.0, 0.5),
        (1.0, 0, 1.0, 1.0),  # the likeliest, however many
        (2.0, 0, 1.0, 0.5),  # a share of what the temperature made
        (1.0, 5, 0.9, 0.1),
    ],
)
def test_tokens_are_drawn_by_temperature_top_k_top_p_and_min_p(temperature, top_k, top_p, min_p):
    count, expected = 20_000, shares(temperature, top_k, top_p, min_p)
    settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p}
    found = np.bincount(draws(count, **settings), minlength=len(LOGITS))
    assert set(np.flatnonzero(found)) <= set(np.flatnonzero(expected))
    deviation = np.sqrt(count * expected * (1 - expected))
    assert np.all(np.abs(found - count * expected) <= 5 * deviation)


@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p"), [(0, 1.0, 0.0), (50, 1.0, 0.0), (0, 0.5, 0.0), (40, 0.7, 0.0), (0, 1.0, 0.02)]
)
def test_a_large_vocabulary_is_cut_at_the_same_tokens(top_k, top_p, min_p):
    """Bisection against sorting, over 5,000 tokens, a multiple of no block."""
    logits = np.random.default_rng(4).normal(0, 2, 5000).astype(np.float32)
    expected, keys = shares(1.0, top_k, top_p, min_p, logits), jax.random.split(jax.random.key(3), 2000)
    settings = {"temperature": 1.0, "top_k": top_k, "top_p": top_p, "min_p": min_p}
    found = np.bincount(np.asarray(choose(np.tile(logits, (2000, 1)), keys, **settings)[0]), minlength=5000)
    assert set(np.flatnonzero(found)) <= set(np.flatnonzero(expected))
    likely = np.argsort(-expected)[:20]
    deviation = np.sqrt(2000 * expected[likely] * (1 - expected[likely]))
    assert np.all(np.abs(found[likely] - 2000 * expected[likely]) <= 5 * deviation)


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


@pytest.mark.parametrize("parts", [1, 2])
def test_attention_to_what_a_group_shares_is_attention_to_all_of_it(parts):
    """4 sequences in 2 groups, in one part or each group in a part of its own, and a place that nobody takes."""
    random = np.random.default_rng(1)
    H, K, C, S, Z, M = 4, 2, 8, 5, 6, 3
    groups, lengths = [1, 0, 1, 0] if parts == 1 else [0, 0, 1, 1], [4, 6]  # of what is shared; the rest is empty
    shapes = (4, 1, H, C), (4, S, K, C), (4, S, K, C), (2, Z, K, C), (2, Z, K, C)
    drawn = (random.standard_normal(shape).astype(np.float32) for shape in shapes)
    queries, keys, values, shared_keys, shared_values = drawn
    seen = np.arange(S)[None, None] < np.array([1, 5, 3, 2])[:, None, None]
    shared_seen = np.tile((np.arange(Z)[None] < np.array(lengths)[:, None])[:, None], (1, M, 1))
    if parts == 1:
        members, places = [[1, 99, 3, 0, 2, 99]], [[3, 0, 4, 2]]
    else:
        members, places = [[0, 99, 1], [1, 0, 99]], [[0, 2], [1, 0]]
    cached = keys.transpose(0, 2, 3, 1), values.transpose(0, 2, 1, 3)
    prompts = shared_keys.transpose(0, 2, 3, 1), shared_values.transpose(0, 2, 1, 3)
    where = np.array(members), np.array(places)
    found = jax.jit(attend_shared)(queries, *cached, seen, *prompts, shared_seen, *where)
    for b, group in enumerate(groups):
        length, own = lengths[group], int(seen[b].sum())
        whole_keys, whole_values = (
            np.concatenate([theirs[group, :length], ours[b, :own]])[None]
            for theirs, ours in ((shared_keys, keys), (shared_values, values))
        )
        expected = attend(queries[b : b + 1], whole_keys, whole_values, np.ones((1, 1, length + own), bool))
        np.testing.assert_allclose(found[b : b + 1], expected, atol=1e-6)


WIDE = dataclasses.replace(MODEL, head_dim=64)  # a cache beside which everything else is small


def abstract(slots, rows, columns, members):
    """Shapes of params, prompts, slots, orders and chance, and `advance` over them."""
    params = jax.eval_shape(lambda: decoder.unstack(decoder.init(WIDE, jax.random.key(0))))
    prompts = jax.eval_shape(functools.partial(decoder.empty_cache, WIDE, rows, columns, jnp.float32))
    state = jax.eval_shape(functools.partial(decode.empty, WIDE, slots, columns, jnp.float32))
    ints, kinds = jax.ShapeDtypeStruct((slots,), jnp.int32), jax.ShapeDtypeStruct((slots,), jnp.uint32)
    names = ("tokens", "positions", "starts", "left", "places")
    forced = jax.ShapeDtypeStruct((slots, decode.FORCED), jnp.int32)
    orders = decode.Orders(**dict.fromkeys(names, ints), requests=kinds, samples=kinds, forced=forced)
    scalars = {"seed": np.uint32(0), "temperature": np.float32(1), "top_k": np.int32(0)}
    chance = decode.Chance(**scalars, top_p=np.float32(1), min_p=np.float32(0))
    settings = dict(steps=4, stops=(1,), parts=1, members=members, dtype=jnp.float32)
    return (params, prompts, state, orders, chance), functools.partial(decode.advance, WIDE, **settings)


def test_a_look_writes_the_cache_in_place():
    slots, columns = 64, 512
    arguments, advance = abstract(slots, 8, columns, 16)
    memory = jax.jit(advance, donate_argnums=2).lower(*arguments).compile().memory_analysis()
    one_layer = slots * columns * 2 * 64 * 4
    assert memory.alias_size_in_bytes >= 2 * WIDE.layers * one_layer  # donated
    assert memory.temp_size_in_bytes < one_layer  # and never copied, not even a layer's keys


def test_a_prefill_writes_the_prompts_in_place():
    rows, columns, tokens = 256, 512, 64
    params, prompts = abstract(8, rows, columns, 1)[0][:2]
    ints = jax.ShapeDtypeStruct((1, tokens), jnp.int32)
    pack = decode.Pack(
        tokens=ints, positions=ints, segments=ints, rows=ints, lengths=jax.ShapeDtypeStruct((rows,), jnp.int32)
    )
    admit = jax.jit(functools.partial(decode.admit, WIDE, dtype=jnp.float32), donate_argnums=1)
    memory = admit.lower(params, prompts, pack).compile().memory_analysis()
    one_layer = rows * columns * 2 * 64 * 4
    assert memory.alias_size_in_bytes >= 2 * WIDE.layers * one_layer
    assert memory.temp_size_in_bytes < one_layer


def test_what_a_hundred_samples_read_of_their_prompt_is_read_once():
    """Bytes that a step touches, by the compiler's own count: 96 groups of one against 2 rows that 48 share each."""

    def read(rows, members):
        arguments, advance = abstract(96, rows, 1024, members)
        return jax.jit(advance, donate_argnums=2).lower(*arguments).compile().cost_analysis()["bytes accessed"]

    prompt = 1024 * 2 * 64 * 4 * 2 * WIDE.layers
    assert read(96, 1) - read(2, 48) > 0.9 * 94 * prompt
