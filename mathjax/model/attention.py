"""Attention under one visibility rule, behind one function.

A query sees a key if both are in the same segment and the key's position is not after its own.
Padding and empty cache entries have position EMPTY, so no query of a sequence sees them. Packed rows, padded
rows, prefill, decoding and a slot used again all follow from this; there is no other mask.
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


def attend_cache(queries, keys, values, seen):
    """`attend` over keys [B, K, C, S] and values [B, K, S, C] as a cache holds them, none of which is moved."""
    B, T, H, C = queries.shape
    K = keys.shape[1]
    queries = queries.reshape(B, T, K, H // K, C).transpose(0, 2, 1, 3, 4)
    scores = jnp.einsum("bktgc,bkcs->bktgs", queries, keys, preferred_element_type=jnp.float32) * C**-0.5
    scores = jnp.where(seen[:, None, :, None], scores, jnp.finfo(jnp.float32).min)
    shares = jax.nn.softmax(scores, axis=-1).astype(values.dtype)
    return jnp.einsum("bktgs,bksc->bktgc", shares, values).transpose(0, 2, 1, 3, 4).reshape(B, T, H, C)


def attend_shared(queries, keys, values, seen, shared_keys, shared_values, shared_seen, members, places):
    """`attend_cache` for one query of each sequence, over keys of its own and those that its group shares.

    queries [B, 1, H, C]; keys [B, K, C, S], values [B, K, S, C], seen [B, 1, S]. Of R groups of at most M sequences:
    shared_keys [R, K, C, Z], shared_values [R, K, Z, C], shared_seen [R, M, Z]. Sequences and groups lie in P equal
    parts, within which sequence members[p, g M + m] is member m of group g (any number where there is none), and
    places[p, b] is the g M + m of sequence b. The queries of a group meet its keys in one product, and one softmax
    goes over both kinds of keys. Returns [B, 1, H, C].
    """
    B, _, H, C = queries.shape
    (R, K), M, lowest = shared_keys.shape[:2], shared_seen.shape[1], jnp.finfo(jnp.float32).min

    def to_groups(x):  # [B, K, ...] as [R, K, M, ...]
        return jnp.moveaxis(move(x, members).reshape(R, M, *x.shape[1:]), 1, 2)

    def to_sequences(x):
        return move(jnp.moveaxis(x, 2, 1).reshape(R * M, K, *x.shape[3:]), places)

    queries = queries.reshape(B, K, H // K, C)
    own = jnp.einsum("bkgc,bkcs->bkgs", queries, keys, preferred_element_type=jnp.float32) * C**-0.5
    own = jnp.where(seen[:, :, None], own, lowest)
    shared = jnp.einsum("rkmgc,rkcz->rkmgz", to_groups(queries), shared_keys, preferred_element_type=jnp.float32)
    shared = jnp.where(shared_seen[:, None, :, None], shared * C**-0.5, lowest)
    highest = jnp.maximum(jnp.max(own, axis=-1), to_sequences(jnp.max(shared, axis=-1)))
    own = jnp.exp(own - highest[..., None])
    shared = jnp.where(shared_seen[:, None, :, None], jnp.exp(shared - to_groups(highest)[..., None]), 0)
    total = jnp.sum(own, axis=-1) + to_sequences(jnp.sum(shared, axis=-1))
    mean = jnp.einsum("bkgs,bksc->bkgc", own.astype(values.dtype), values, preferred_element_type=jnp.float32)
    mixed = jnp.einsum(
        "rkmgz,rkzc->rkmgc", shared.astype(values.dtype), shared_values, preferred_element_type=jnp.float32
    )
    mean = (mean + to_sequences(mixed)) / total[..., None]
    return mean.astype(values.dtype).reshape(B, 1, H, C)


def move(x, where):
    """Rows of x, in as many parts as `where` [P, ...] has, taken from their part by it."""
    parts = x.reshape(where.shape[0], -1, *x.shape[1:])
    found = jax.vmap(lambda rows, index: rows.at[index].get(mode="clip"))(parts, where)
    return found.reshape(-1, *x.shape[1:])
