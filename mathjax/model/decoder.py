"""The decoder: tokens to hidden states to logits, with or without a cache of keys and values.

Outside this folder params are a plain nested dict; only here are they merged into modules. Layers are one module
whose arrays have a leading axis L, and are scanned.
"""

import functools
import operator

import jax
import jax.numpy as jnp
from flax import nnx

from mathjax import config, mesh
from mathjax.model import layers
from mathjax.model.attention import EMPTY, attend, attend_cache, attend_shared, move, visible

REMAT = {
    "none": jax.checkpoint_policies.everything_saveable,
    "layers": jax.checkpoint_policies.nothing_saveable,
    "products": jax.checkpoint_policies.dots_with_no_batch_dims_saveable,
}


class Embedding(nnx.Module):
    """One row of width D for each of V tokens, and those that make up the multiple."""

    def __init__(self, model: config.Model, *, rngs):
        shape = (model.rows, model.width)
        self.table = nnx.Param(model.initializer_range * jax.random.normal(rngs.params(), shape))


class Decoder(nnx.Module):
    """Embedding, L layers, a last norm, and a head that may be the embedding itself."""

    def __init__(self, model: config.Model, rngs):
        self.embedding = Embedding(model, rngs=rngs)
        make = nnx.vmap(lambda rngs: layers.Layer(model, rngs=rngs), in_axes=0, out_axes=0)
        self.layers = make(rngs.split(model.layers))
        self.norm = layers.RMSNorm(model.width, model.norm_epsilon)
        self.head = None if model.tied_embeddings else Embedding(model, rngs=rngs)
        self.model = model

    def enter(self, tokens, positions, dtype):
        """Embedded tokens, flattened to [B T, D], and the rotations of their positions."""
        x = self.embedding.table[...].astype(dtype)[tokens.reshape(-1)]
        return mesh.constrain(x, "b."), layers.rotations(positions, layers.frequencies(self.model))

    def leave(self, x, shape):
        """Hidden states [B, T, D] after the last norm."""
        return mesh.constrain(self.norm(x).reshape(*shape, -1), "b..")


def init(model: config.Model, key) -> dict:
    """Fresh float32 params as a plain nested dict; to be called under `jax.jit` with the shardings wanted."""
    return nnx.to_pure_dict(nnx.state(Decoder(model, nnx.Rngs(params=key)), nnx.Param))


def empty_cache(model: config.Model, slots: int, length: int, dtype=jnp.float32) -> dict:
    """A cache of `slots` sequences of at most `length` tokens.

    Each layer has arrays of its own, written in place, in the layouts that products on a CPU read fastest: keys
    [slots, K, C, length] and values [slots, K, length, C]. `positions` [slots, length] serves them all.
    """
    K, C = model.kv_heads, model.head_dim
    return {
        "keys": [jnp.zeros((slots, K, C, length), dtype) for _ in range(model.layers)],
        "values": [jnp.zeros((slots, K, length, C), dtype) for _ in range(model.layers)],
        "positions": jnp.full((slots, length), EMPTY, jnp.int32),
    }


def apply(model: config.Model, params: dict, tokens, positions, segments, *, dtype=jnp.float32, remat="none", unroll=1):
    """Hidden states [B, T, D] of packed rows: tokens, positions and segments are int32 [B, T].

    Products run in `dtype`. `remat` names a row of REMAT. `unroll` layers at a time are laid out one after the
    other instead of looped over.
    """
    seen = visible(segments, positions, segments, positions)
    look = functools.partial(attend, seen=seen)

    def layer(carry, part):
        return part(carry, turns, look), None

    decoder = _merge(model, params)
    x, turns = decoder.enter(tokens, positions, dtype)
    x, _ = _scan(layer, x, decoder.layers, remat, unroll)
    return decoder.leave(x, tokens.shape)


def unstack(params: dict) -> dict:
    """The same params with a list of layers in place of their stack, from which `extend` would copy each layer."""
    stack = params["layers"]
    if isinstance(stack, list):
        return params
    count = len(jax.tree.leaves(stack)[0])
    return {**params, "layers": [jax.tree.map(operator.itemgetter(index), stack) for index in range(count)]}


def extend(
    model: config.Model,
    params: dict,
    tokens,
    positions,
    columns,
    cache: dict,
    shared: dict | None = None,
    *,
    dtype=jnp.float32,
):
    """Hidden states [B, T, D] of tokens that continue the sequences of a cache, and the cache with them in it.

    tokens, positions and columns are int32 [B, T]; row b belongs to sequence b of the cache. Token t of row b is
    written at column columns[b, t], and nowhere where that lies outside; padding has position EMPTY. `shared` is a
    cache of what groups of sequences begin with, only read, with `members` and `places` as `attend_shared` takes them;
    then T is 1. `params` may be unstacked. Layers are laid out one after the other: a loop over them would copy each
    layer's params and cache at every token.
    """
    rows = jnp.arange(tokens.shape[0])[:, None]
    held = cache["positions"].at[rows, columns].set(positions, mode="drop")
    seen = _before(positions, held)
    all_keys, all_values = list(cache["keys"]), list(cache["values"])
    if shared is not None:
        R = len(shared["positions"])
        members, places = shared["members"], shared["places"]
        shared_seen = _before(move(positions[:, 0], members).reshape(R, -1), shared["positions"])

    def look(queries, keys, values, index):
        keys = all_keys[index].at[rows, :, :, columns].set(keys.astype(all_keys[index].dtype), mode="drop")
        values = all_values[index].at[rows, :, columns].set(values.astype(all_values[index].dtype), mode="drop")
        all_keys[index], all_values[index] = keys, values
        own = queries, keys.astype(dtype), values.astype(dtype), seen
        if shared is None:
            return attend_cache(*own)
        theirs = (shared[name][index].astype(dtype) for name in ("keys", "values"))
        return attend_shared(*own, *theirs, shared_seen, members, places)

    hidden = _through(model, params, tokens, positions, look, dtype)
    return hidden, {"keys": all_keys, "values": all_values, "positions": held}


def remember(model: config.Model, params: dict, tokens, positions, segments, *, dtype=jnp.float32):
    """The keys and values of packed rows, a list [B, T, K, C] of each, layer by layer; arguments as of `apply`."""
    seen = visible(segments, positions, segments, positions)
    all_keys, all_values = [], []

    def look(queries, keys, values, index):
        all_keys.append(keys)
        all_values.append(values)
        return attend(queries, keys, values, seen)

    _through(model, params, tokens, positions, look, dtype)
    return all_keys, all_values


def head(params: dict):
    """The table [V, D] whose products with hidden states are the logits."""
    return params.get("head", params["embedding"])["table"]


def logits(model: config.Model, params: dict, hidden):
    """Float32 logits [..., V] of hidden states [..., D]; the product runs in the dtype of `hidden`.

    Rows of the table that stand for no token have logits so low that their probability is 0.
    """
    scores = jnp.einsum("...d,vd->...v", hidden, head(params).astype(hidden.dtype), preferred_element_type=jnp.float32)
    if model.rows == model.vocab_size:
        return scores
    ids = jax.lax.broadcasted_iota(jnp.int32, scores.shape, scores.ndim - 1)
    return jnp.where(ids < model.vocab_size, scores, jnp.finfo(jnp.float32).min)


def _scan(layer, carry, stack, remat, unroll):
    graph, arrays = nnx.split(stack)

    def body(carry, part):
        return layer(carry, nnx.merge(graph, part))

    if remat != "none":
        body = jax.checkpoint(body, policy=REMAT[remat], prevent_cse=False)
    return jax.lax.scan(body, carry, arrays, unroll=unroll)


def _through(model, params, tokens, positions, look, dtype):
    """Hidden states [B, T, D], layer by layer; `look` attends, and is told the layer by `index`."""
    params = unstack(params)
    decoder = _merge(model, {name: part for name, part in params.items() if name != "layers"})
    x, turns = decoder.enter(tokens, positions, dtype)
    for index, part in enumerate(params["layers"]):
        x = _layer(model, part)(x, turns, functools.partial(look, index=index))
    return decoder.leave(x, tokens.shape)


def _before(positions, held):
    """Whether each query [B, T] sees each key [B, S] of its own sequence: bool [B, T, S]."""
    return visible(jnp.zeros_like(positions), positions, jnp.zeros_like(held), held)


def _merge(model, params) -> Decoder:
    graph, state = nnx.split(nnx.eval_shape(lambda: Decoder(model, nnx.Rngs(0))))
    nnx.replace_by_pure_dict(state, params)
    return nnx.merge(graph, state)


def _layer(model, params) -> layers.Layer:
    graph, state = nnx.split(nnx.eval_shape(lambda: layers.Layer(model, rngs=nnx.Rngs(0))))
    nnx.replace_by_pure_dict(state, params)
    return nnx.merge(graph, state)
