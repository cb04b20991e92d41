"""Rows for tokens that a tokenizer has gained."""

import dataclasses
import functools

import jax
import jax.numpy as jnp

from mathjax import config, mesh


def grow(
    model: config.Model, params: dict, devices: jax.sharding.Mesh, *, known: int, wanted: int
) -> tuple[config.Model, dict]:
    """The model with `wanted` tokens, of which it knew the first `known`; the others begin as the mean of these.

    So in the embedding and in the head (RFT, 2308.01825, in its code). Rows that the tables had in reserve are used
    before they grow. The params given may not be used afterwards.
    """
    if not 0 < known <= min(wanted, model.vocab_size):
        raise ValueError(f"of {wanted} tokens and {model.vocab_size} rows, known={known} cannot be the known ones")
    if wanted == known:
        return model, params
    larger = dataclasses.replace(model, vocab_size=max(model.vocab_size, wanted))
    tables = {name: params[name] for name in ("embedding", "head") if name in params}
    make = functools.partial(_grown, known=known, wanted=wanted, rows=larger.rows)
    where = mesh.place(devices, jax.eval_shape(make, tables))
    return larger, params | jax.jit(make, out_shardings=where)(tables)


def _grown(tables, *, known, wanted, rows):
    def one(table):
        mean = jnp.mean(table[:known].astype(jnp.float32), axis=0).astype(table.dtype)
        larger = jnp.pad(table, ((0, rows - table.shape[0]), (0, 0)))
        fresh = jnp.arange(rows)[:, None]
        return jnp.where((fresh >= known) & (fresh < wanted), mean[None], larger)

    return jax.tree.map(one, tables)
