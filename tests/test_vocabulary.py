"""Tokens that a model gains, and rows that stand for none."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mathjax import config, mesh
from mathjax.model import decoder, vocabulary
from mathjax.sample import decode
from mathjax.train import losses

MODEL = config.Model(
    vocab_size=22, layers=1, width=16, heads=2, kv_heads=1, head_dim=8, mlp_width=24, tied_embeddings=False
)
PADDED = dataclasses.replace(MODEL, vocab_multiple=8)


def made(model):
    return jax.jit(functools.partial(decoder.init, model))(jax.random.key(0))


def cut(params):
    """The params without the rows that stand for no token."""
    return params | {name: {"table": params[name]["table"][:22]} for name in ("embedding", "head")}


def test_new_tokens_begin_as_the_mean_of_the_known():
    devices = mesh.make(config.Mesh(data=1, fsdp=8))
    before = jax.device_get(made(PADDED))
    for known, wanted, rows in ((22, 24, 24), (22, 30, 32), (20, 23, 24)):
        model, params = vocabulary.grow(PADDED, made(PADDED), devices, known=known, wanted=wanted)
        assert (model.vocab_size, model.rows) == (wanted, rows)
        for name in ("embedding", "head"):
            table, old = params[name]["table"], before[name]["table"]
            assert table.shape[0] == rows and table.sharding.spec[0] == ("fsdp", "tensor")
            np.testing.assert_array_equal(table[:known], old[:known])
            mean = np.broadcast_to(old[:known].mean(axis=0), (wanted - known, 16))
            np.testing.assert_allclose(table[known:wanted], mean, atol=1e-7)


def test_a_vocabulary_that_has_not_grown_is_left_alone():
    params = made(MODEL)
    model, same = vocabulary.grow(MODEL, params, mesh.make(config.Mesh()), known=22, wanted=22)
    assert model is MODEL and same is params


@pytest.mark.parametrize(("known", "wanted"), [(23, 30), (22, 20), (0, 4)])
def test_known_tokens_are_among_the_rows(known, wanted):
    with pytest.raises(ValueError, match=f"known={known}"):
        vocabulary.grow(MODEL, made(MODEL), mesh.make(config.Mesh()), known=known, wanted=wanted)


def test_rows_of_no_token_change_neither_loss_nor_gradient():
    params = made(PADDED)
    hidden = jax.random.normal(jax.random.key(1), (2, 6, 16))
    targets = jax.random.randint(jax.random.key(2), (2, 6), 0, 22)
    weights = jnp.full((2, 6), 1 / 12)

    def loss(params, model):
        return losses.cross_entropy(model, params, hidden, targets, weights)[0]

    padded, gradient = jax.jit(jax.value_and_grad(functools.partial(loss, model=PADDED)))(params)
    plain, wanted = jax.jit(jax.value_and_grad(functools.partial(loss, model=MODEL)))(cut(params))
    np.testing.assert_allclose(padded, plain, rtol=1e-6)
    np.testing.assert_allclose(gradient["head"]["table"][:22], wanted["head"]["table"], atol=1e-6)
    assert not np.any(gradient["head"]["table"][22:])


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(0.0, 0, 1.0), (100.0, 0, 1.0), (100.0, 24, 1.0), (50.0, 0, 0.99)]
)
def test_rows_of_no_token_are_never_chosen_and_change_no_probability(temperature, top_k, top_p):
    params, B = made(PADDED), 256
    hidden = jax.random.normal(jax.random.key(1), (B, 16))
    settings = [jnp.full(B, x) for x in (temperature, top_k, top_p)]

    @jax.jit
    def choose(params):
        logits = decoder.logits(PADDED, params, hidden)
        return decode.choose(logits, jax.random.split(jax.random.key(3), B), *settings)

    chosen, log_probabilities = choose(params)
    assert int(chosen.max()) < 22
    plain = jax.nn.log_softmax(decoder.logits(MODEL, cut(params), hidden))
    wanted = jnp.take_along_axis(plain, chosen[:, None], axis=-1)[:, 0]
    np.testing.assert_allclose(log_probabilities, wanted, atol=1e-5)
