"""The choice of the next token, and what a compiled look costs."""

import collections
import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mathjax import config
from mathjax.model import decoder, pages
from mathjax.model.attention import attend
from mathjax.model.pages import PAGE
from mathjax.sample import decode, paging
from mathjax.sample.board import Board, Row
from mathjax.sample.request import Request

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


@pytest.mark.parametrize("chunk", [2, 12])
@pytest.mark.parametrize("parts", [1, 2])
def test_attention_to_pages_is_attention_to_what_is_in_them(parts, chunk):
    """4 sequences in 2 groups, in one part or each group in a part of its own; what nobody's table names is noise."""
    random = np.random.default_rng(1)
    H, K, C, N = 4, 2, 8, 12
    groups, starts, lasts = [1, 0, 1, 0] if parts == 1 else [0, 0, 1, 1], [70, 6], [70 + 64, 6, 75, 200]
    lasts = [max(last, starts[group]) for last, group in zip(lasts, groups, strict=True)]
    queries = random.standard_normal((4, H, C), np.float32)
    kinds, theirs = [], [([], []) for _ in range(4)]
    for kind in range(2):
        shape = paging.Shape(slots=4, pages=0, each=0, prompts=0, longest=0, members=0, parts=parts, chunks=(0, 0))
        held = paging.Pages(shape, parts * N, members=(1, 2)[kind], most=4, chunk=chunk)
        keys = random.standard_normal((parts, N, K, C, PAGE), np.float32)
        values = random.standard_normal((parts, N, K, PAGE, C), np.float32)
        taken = {}
        for slot, group in enumerate(groups):
            part, seat = divmod(slot, 4 // parts)
            first, end = ((starts[group], lasts[slot] + 1), (0, starts[group]))[kind]
            name = (slot, group)[kind]
            if name not in taken:
                taken[name] = held.take(part, paging.count(end - first))
            member = groups[:slot].count(group) if kind else 0
            held.join(part, seat, member, taken[name], first)
            columns = np.arange(end - first)
            page = np.array(taken[name])[columns // PAGE]
            theirs[slot][0].append(keys[part, page, :, :, columns % PAGE])
            theirs[slot][1].append(values[part, page, :, columns % PAGE])
        last = lasts if kind == 0 else [starts[group] - 1 for group in groups]
        kinds.append((keys, values, np.array(last, np.int32), held.table()))
    found = jax.jit(pages.attend)(queries, *kinds)
    for slot in range(4):
        keys, values = (np.concatenate(parts)[None] for parts in theirs[slot])
        expected = attend(queries[None, slot : slot + 1], keys, values, np.ones((1, 1, keys.shape[1]), bool))
        np.testing.assert_allclose(found[slot], expected[0, 0], atol=1e-6)


WIDE = dataclasses.replace(MODEL, head_dim=64)  # a cache beside which everything else is small


def abstract(slots, each, prompts, members):
    """Shapes of all that `advance` takes, and `advance`; the pages are read in chunks of 8."""
    numbers = {"slots": slots, "pages": slots * each, "each": each, "prompts": prompts, "longest": 16}
    shape = paging.Shape(**numbers, members=members, parts=1, chunks=(8, 8))
    own = paging.Pages(shape, shape.pages, members=1, most=each, chunk=8).table()
    shared = paging.Pages(shape, prompts, members=members, most=16, chunk=8).table()
    params = jax.eval_shape(lambda: decoder.unstack(decoder.init(WIDE, jax.random.key(0))))
    caches = [jax.eval_shape(lambda n=n: pages.empty(WIDE, 1, n)) for n in (prompts, shape.pages)]
    state = jax.eval_shape(functools.partial(decode.empty, slots))
    ints, kinds = jax.ShapeDtypeStruct((slots,), jnp.int32), jax.ShapeDtypeStruct((slots,), jnp.uint32)
    forced = jax.ShapeDtypeStruct((slots, decode.FORCED), jnp.int32)
    names = ("tokens", "positions", "starts", "left")
    orders = decode.Orders(**dict.fromkeys(names, ints), requests=kinds, samples=kinds, forced=forced)
    scalars = {"seed": np.uint32(0), "temperature": np.float32(1), "top_k": np.int32(0)}
    chance = decode.Chance(**scalars, top_p=np.float32(1), min_p=np.float32(0))
    settings = dict(steps=4, stops=(1,), dtype=jnp.float32)
    arguments = params, *caches, state, orders, (own, shared), chance
    return arguments, functools.partial(decode.advance, WIDE, **settings)


def test_a_look_writes_the_cache_in_place():
    slots, each = 64, 8
    arguments, advance = abstract(slots, each, 64, 16)
    memory = jax.jit(advance, donate_argnums=(2, 3)).lower(*arguments).compile().memory_analysis()
    one_layer = slots * each * PAGE * 2 * 64 * 4
    assert memory.alias_size_in_bytes >= 2 * WIDE.layers * one_layer  # donated
    assert memory.temp_size_in_bytes < one_layer  # and never copied, not even a layer's keys


def test_a_prefill_writes_the_prompts_in_place():
    number, tokens = 2048, 64
    params, prompts = abstract(8, 1, number, 1)[0][:2]
    ints = jax.ShapeDtypeStruct((1, tokens), jnp.int32)
    pack = decode.Pack(tokens=ints, positions=ints, segments=ints, pages=ints)
    admit = jax.jit(functools.partial(decode.admit, WIDE, dtype=jnp.float32), donate_argnums=1)
    memory = admit.lower(params, prompts, pack).compile().memory_analysis()
    one_layer = number * PAGE * 2 * 64 * 4
    assert memory.alias_size_in_bytes >= 2 * WIDE.layers * one_layer
    assert memory.temp_size_in_bytes < one_layer


def test_a_hundred_samples_read_their_prompt_once():
    """Pages that a step looks at for 100 samples of one prompt of 150 tokens, against those of 100 prompts."""
    found = {}
    for members in (1, 100):
        shape = paging.Shape(
            slots=100, pages=100, each=1, prompts=304, longest=3, members=members, parts=1, chunks=(8, 8)
        )
        requests = (Row(Request(i, range(150)), collections.deque(range(members)), 9) for i in itertools.count())
        board = Board(shape, 8, (), None)
        board.fill(lambda requests=requests: next(requests))
        assert board.busy.all()
        own, shared = board.tables()
        found[members] = int(np.sum(np.any(shared.members != 100, axis=2))), int(shared.chunks)
        assert np.sum(own.members != 100) == 100
    assert found == {1: (300, 38), 100: (3, 1)}
