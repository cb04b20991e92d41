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
from mathjax.model import kernels, layers, pages
from mathjax.model.attention import EMPTY, attend, visible

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


def apply(
    model: config.Model,
    params: dict,
    tokens,
    positions,
    segments,
    *,
    dtype=jnp.float32,
    remat="none",
    unroll=1,
    attention="auto",
):
    """Hidden states [B, T, D] of packed rows: tokens, positions and segments are int32 [B, T].

    Products run in `dtype`. `remat` names a row of REMAT, `attention` a kernel as `kernels.choose` takes it. `unroll`
    layers at a time are laid out one after the other instead of looped over.
    """
    look = kernels.look(kernels.choose(attention, tokens.shape[1]), segments, positions)

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
    starts,
    cache: dict,
    table: pages.Table,
    shared: tuple[dict, pages.Table] | None = None,
    *,
    dtype=jnp.float32,
):
    """Hidden states [B, D] of a token more in each of B sequences, and the cache with it in it.

    tokens, positions and starts are int32 [B]; the token of a sequence lies at positions - starts of the columns of its
    pages in `cache`, which `table` tells, each of them of one sequence. Where the position is EMPTY, or the page is not
    there, nothing is written. `shared` are pages, only read, of what groups of sequences begin with, before `starts`.
    `params` may be unstacked. Layers are laid out one after the other: a loop over them would copy each layer's params
    and cache at every token.
    """
    parts, _, J = table.places.shape
    busy = positions != EMPTY
    columns = jnp.where(busy, positions - starts, J * pages.PAGE).reshape(parts, -1)
    page = jnp.take_along_axis(table.places, jnp.minimum(columns // pages.PAGE, J - 1)[..., None], axis=-1)[..., 0]
    page = jnp.where(columns < J * pages.PAGE, page, table.members.shape[1])
    held = {"cache": cache}

    def look(queries, keys, values, index):
        new = (part.reshape(*page.shape, *part.shape[2:]) for part in (keys, values))
        held["cache"] = pages.write(held["cache"], index, *new, page, columns % pages.PAGE)
        kinds = [(held["cache"], jnp.where(busy, positions, -1), table)]
        if shared is not None:
            kinds.append((shared[0], jnp.where(busy, starts, 0) - 1, shared[1]))
        kinds = [(kind["keys"][index], kind["values"][index], *rest) for kind, *rest in kinds]
        return pages.attend(queries[:, 0], *kinds)[:, None]

    hidden = _through(model, params, tokens[:, None], positions[:, None], look, dtype)
    return hidden[:, 0], held["cache"]


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


def _merge(model, params) -> Decoder:
    graph, state = nnx.split(nnx.eval_shape(lambda: Decoder(model, nnx.Rngs(0))))
    nnx.replace_by_pure_dict(state, params)
    return nnx.merge(graph, state)


def _layer(model, params) -> layers.Layer:
    graph, state = nnx.split(nnx.eval_shape(lambda: layers.Layer(model, rngs=nnx.Rngs(0))))
    nnx.replace_by_pure_dict(state, params)
    return nnx.merge(graph, state)
