"""Attention of one query of each sequence to keys that lie in pages, as an engine holds them.

A page has PAGE columns, of one sequence, or of a prompt that several sequences share. Which page is whose is told from
outside, at every call, so pages are taken and given back without a copy, and what is read and worked through is what is
in use. A column's position follows from its page's and is never stored: what was left over in a page lies at positions
after those of its new owner, and by the one visibility rule nothing sees it.
"""

import dataclasses

import jax
import jax.numpy as jnp

from mathjax import config

PAGE = 64
LOWEST = float(jnp.finfo(jnp.float32).min)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """Who looks at which page. B sequences and the pages lie in P equal parts, and are counted within their part."""

    members: jax.Array  # int32 [P, N, M]; the sequences that look at a page; B/P: nobody
    firsts: jax.Array  # int32 [P, N]; the position of a page's first column
    places: jax.Array  # int32 [P, B/P, J]; n M + m for each page n of a sequence that is its member m; N M: none
    chunks: jax.Array  # int32; how many chunks there are to the last page in use
    chunk: int = dataclasses.field(metadata={"static": True})  # pages at a time, a divisor of N


def empty(model: config.Model, parts: int, pages: int, dtype=jnp.float32) -> dict:
    """A cache of `pages` in each part.

    Each layer has arrays of its own, written in place, in the layouts that products on a CPU read fastest: keys
    [parts, pages, K, C, PAGE] and values [parts, pages, K, PAGE, C].
    """
    lead = parts, pages, model.kv_heads
    return {
        "keys": [jnp.zeros((*lead, model.head_dim, PAGE), dtype) for _ in range(model.layers)],
        "values": [jnp.zeros((*lead, PAGE, model.head_dim), dtype) for _ in range(model.layers)],
    }


def write(held: dict, layer: int, keys, values, pages, columns) -> dict:
    """`held` with keys and values [P, n, K, C] of a layer at `columns` of `pages` [P, n] of their part.

    Nothing is written where the page is none of the part's.
    """

    def put(where):
        return jax.vmap(lambda held, new, page, column: held.at[where(page, column)].set(new, mode="drop"))

    def one(name, new, where):
        layers = list(held[name])
        layers[layer] = put(where)(layers[layer], new.astype(layers[layer].dtype), pages, columns)
        return layers

    return {
        "keys": one("keys", keys, lambda page, column: (page, slice(None), slice(None), column)),
        "values": one("values", values, lambda page, column: (page, slice(None), column)),
    }


def attend(queries, *kinds):
    """The mean of the values that each query sees in all its pages, weighted by one softmax.

    queries [B, H, C]. Of each kind of pages: keys [P, N, K, C, PAGE] and values [P, N, K, PAGE, C], the last position
    that each sequence may see there, int32 [B], and a Table. Returns [B, H, C] in the dtype of the values.
    """
    found = [_partial(queries, *kind) for kind in kinds]
    highest, total, mixed = (jnp.concatenate(parts, axis=1) for parts in zip(*found, strict=True))  # [B, J, K, G ...]
    share = jnp.exp(highest - jnp.max(highest, axis=1, keepdims=True))
    total = jnp.sum(share * total, axis=1)
    mean = jnp.sum(share[..., None] * mixed, axis=1) / jnp.maximum(total, jnp.finfo(jnp.float32).tiny)[..., None]
    return mean.astype(kinds[0][1].dtype).reshape(queries.shape)


def _partial(queries, keys, values, lasts, table):
    """What each sequence finds in each of its J pages: its highest score, and the sums of weights relative to that
    and of values so weighted, [B, J, K, G] and [B, J, K, G, C]."""
    (B, H, C), (P, N, K), M = queries.shape, keys.shape[:3], table.members.shape[2]
    queries, lasts = queries.reshape(P, B // P, K, H // K, C), lasts.reshape(P, B // P)

    def read(start):
        members, firsts, ours, theirs = (
            jax.lax.dynamic_slice_in_dim(x, start, table.chunk, axis=1)
            for x in (table.members, table.firsts, keys, values)
        )
        return _read(queries, lasts, members, firsts, ours, theirs)

    if table.chunk == N:
        found = read(0)
    else:
        none = jnp.full((P, N, M, K, H // K), LOWEST, jnp.float32)
        begun = none, jnp.zeros_like(none), jnp.zeros((*none.shape, C), jnp.float32)

        def step(number, done):
            start = number * table.chunk
            return tuple(
                jax.lax.dynamic_update_slice_in_dim(held, new, start, axis=1)
                for held, new in zip(done, read(start), strict=True)
            )

        found = jax.lax.fori_loop(0, table.chunks, step, begun)

    def fetch(x, fill):
        rows = x.reshape(P, N * M, *x.shape[3:])
        taken = jax.vmap(lambda rows, places: rows.at[places].get(mode="fill", fill_value=fill))(rows, table.places)
        return taken.reshape(B, *taken.shape[2:])

    return tuple(fetch(x, fill) for x, fill in zip(found, (LOWEST, 0.0, 0.0), strict=True))


def _read(queries, lasts, members, firsts, keys, values):
    """The same for each page and member: [P, n, M, K, G] and [P, n, M, K, G, C]."""
    (P, n, M), (K, G, C) = members.shape, queries.shape[2:]
    asked = jax.vmap(lambda rows, where: rows.at[where].get(mode="clip"))(queries, members)
    asked = jnp.moveaxis(asked, 3, 2).reshape(P, n, K, M * G, C)
    last = jax.vmap(lambda rows, where: rows.at[where].get(mode="fill", fill_value=-1))(lasts, members)
    seen = firsts[:, :, None, None] + jnp.arange(PAGE)[None, None, None] <= last[..., None]
    seen = jnp.broadcast_to(seen[:, :, None, :, None], (P, n, K, M, G, PAGE)).reshape(P, n, K, M * G, PAGE)
    scores = jnp.einsum("pnkqc,pnkcw->pnkqw", asked, keys.astype(asked.dtype), preferred_element_type=jnp.float32)
    scores = jnp.where(seen, scores * C**-0.5, LOWEST)
    highest = jnp.max(scores, axis=-1)
    weights = jnp.where(seen, jnp.exp(scores - highest[..., None]), 0)
    total = jnp.sum(weights, axis=-1)
    values = values.astype(asked.dtype)
    mixed = jnp.einsum("pnkqw,pnkwc->pnkqc", weights.astype(asked.dtype), values, preferred_element_type=jnp.float32)
    return tuple(jnp.moveaxis(x.reshape(P, n, K, M, G, *x.shape[4:]), 3, 2) for x in (highest, total, mixed))
