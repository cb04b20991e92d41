"""Attention under one visibility rule, behind one function.

A query sees a key if both are in the same segment and the key's position is not after its own.
Padding has position EMPTY, so no query of a sequence sees it; what was left over in a cache's page lies at positions
after its new owner's. Packed rows, padded rows, prefill, decoding and a slot used again all follow from this; there is
no other mask.
"""

import jax
import jax.numpy as jnp

EMPTY = 2**31 - 1


def visible(query_segments, query_positions, key_segments, key_positions):
    """Whether each query sees each key: bool [B, T, S], from int32 [B, T] and [B, S]."""
    same = query_segments[:, :, None] == key_segments[:, None, :]
    return same & (key_positions[:, None, :] <= query_positions[:, :, None])


def attend(queries, keys, values, seen):
    """The mean of the values that each query sees, weighted by softmax.

    queries [B, T, H, C]; keys, values [B, S, K, C] with H a multiple of K; seen [B, T, S]. Scores and softmax are
    float32. Returns [B, T, H, C] in the dtype of `values`.
    """
    B, T, H, C = queries.shape
    K = keys.shape[2]
    queries = queries.reshape(B, T, K, H // K, C)
    scores = jnp.einsum("btkgc,bskc->bkgts", queries, keys, preferred_element_type=jnp.float32) * C**-0.5
    scores = jnp.where(seen[:, None, None], scores, jnp.finfo(jnp.float32).min)
    shares = jax.nn.softmax(scores, axis=-1).astype(values.dtype)
    return jnp.einsum("bkgts,bskc->btkgc", shares, values).reshape(B, T, H, C)
