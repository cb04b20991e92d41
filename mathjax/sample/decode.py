"""What runs on the device: prompts into the pages that groups share, and several steps of decoding in the slots.

The prompt of a request lies once, but for its last token, which is the first that each of its slots reads: all tokens
are chosen by one program. Column c of a slot's own pages holds the token c places after that or is left over from
before, and then at a later position, so nothing that a slot computes depends on when it was filled, on who else is
there, or on what was there before it was set back.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from mathjax import config
from mathjax import mesh as meshes
from mathjax.model import decoder, pages
from mathjax.model.attention import EMPTY
from mathjax.sample.choose import choose, completion_keys, log_probability

FORCED = 64  # the most tokens that can be forced at a time
NONE = -1  # no token, no order


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Chance:
    """How tokens are chosen, in all slots: scalars."""

    seed: jax.Array  # uint32
    temperature: jax.Array  # float32; 0: greedy
    top_k: jax.Array  # int32; 0: all
    top_p: jax.Array  # float32; 1: all
    min_p: jax.Array  # float32; 0: all


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Slots:
    """What the device knows of B sequences beside their pages: arrays [B]. Donated from call to call."""

    tokens: jax.Array  # int32; the last token of each sequence, which is not in the cache yet
    positions: jax.Array  # int32; its position
    starts: jax.Array  # int32; the position of column 0
    left: jax.Array  # int32; how many tokens may still be chosen; 0: the slot is free
    keys: jax.Array  # of the completion; the key of a token follows from it and the token's position
    forced: jax.Array  # int32 [B, FORCED]; tokens to come in place of chosen ones, then NONE
    forced_from: jax.Array  # int32; the position of the first of them


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Orders:
    """What the host wants of the slots before the next steps: arrays [B]. A slot whose `left` is NONE goes on."""

    tokens: jax.Array  # int32, as in Slots
    positions: jax.Array
    starts: jax.Array
    left: jax.Array
    requests: jax.Array  # uint32
    samples: jax.Array  # uint32
    forced: jax.Array  # int32 [B, FORCED]; the first follows at position + 1


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Pack:
    """Prompts on their way into pages, W x T tokens of them packed as in training."""

    tokens: jax.Array  # int32 [W, T]; all but the last of each prompt
    positions: jax.Array  # int32 [W, T]; EMPTY: padding
    segments: jax.Array  # int32 [W, T]
    pages: jax.Array  # int32 [W, T]; where each token is to lie, counted through all parts; NONE: nowhere


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """What N steps chose in B slots. The tokens of a slot are the first `made` of its column."""

    tokens: jax.Array  # int32 [N, B]
    log_probabilities: jax.Array  # float32 [N, B]
    made: jax.Array  # int32 [B]
    left: jax.Array  # int32 [B]; 0: the sequence has ended, by its last token or for want of room


def empty(slots: int) -> Slots:
    """Free slots."""
    none = jnp.zeros(slots, jnp.int32)
    return Slots(
        tokens=none,
        positions=none,
        starts=none,
        left=none,
        keys=jax.vmap(jax.random.key)(none),
        forced=jnp.full((slots, FORCED), NONE, jnp.int32),
        forced_from=none,
    )


def place(mesh, tree):
    """The sharding of every array of `tree`: slots, or the parts of pages, over `data`; heads over `tensor`."""

    def spec(leaf):
        if leaf.ndim < 5:
            return NamedSharding(mesh, PartitionSpec(meshes.ROWS))
        heads = "tensor" if leaf.shape[2] % mesh.shape["tensor"] == 0 else None
        return NamedSharding(mesh, PartitionSpec(meshes.ROWS, None, heads))

    return jax.tree.map(spec, tree)


def admit(model: config.Model, params: dict, prompts: dict, pack: Pack, *, dtype) -> dict:
    """`prompts`, the pages that groups share, with those of a pack in them."""
    found = decoder.remember(model, params, pack.tokens, pack.positions, pack.segments, dtype=dtype)
    P, N = prompts["keys"][0].shape[:2]
    local = pack.pages.reshape(1, -1) - N * jnp.arange(P)[:, None]
    local = jnp.where((pack.pages.reshape(1, -1) == NONE) | (local < 0), N, local)
    columns = jnp.broadcast_to(pack.positions.reshape(1, -1) % pages.PAGE, local.shape)
    for layer, parts in enumerate(zip(*found, strict=True)):
        new = (jnp.broadcast_to(x.reshape(1, -1, *x.shape[2:]), (*local.shape, *x.shape[2:])) for x in parts)
        prompts = pages.write(prompts, layer, *new, local, columns)
    return prompts


def advance(
    model: config.Model,
    params: dict,
    prompts: dict,
    cache: dict,
    slots: Slots,
    orders: Orders,
    tables: tuple[pages.Table, pages.Table],
    chance: Chance,
    *,
    steps: int,
    stops: tuple[int, ...],
    dtype,
):
    """(cache, slots, Look): orders carried out, then up to `steps` tokens more in every slot that is not free.

    A sequence ends with one of `stops`. `tables` tell whose the pages of `cache` are, which hold room for the tokens to
    come, and who shares those of `prompts`.
    """
    slots = _carry_out(slots, orders, chance.seed)
    before = slots.positions
    (cache, slots), (tokens, log_probabilities) = jax.lax.scan(
        lambda carry, _: _step(model, params, prompts, *carry, tables, chance, stops, dtype),
        (cache, slots),
        length=steps,
    )
    made = slots.positions - before
    return cache, slots, Look(tokens=tokens, log_probabilities=log_probabilities, made=made, left=slots.left)


def _carry_out(slots, orders, seed):
    """The slots with what was ordered."""
    ordered = orders.left != NONE
    keys = completion_keys(jnp.broadcast_to(seed, ordered.shape), orders.requests, orders.samples)

    def new(ours, held):
        return jnp.where(ordered.reshape(-1, *(1,) * (held.ndim - 1)), ours, held)

    return Slots(
        tokens=new(orders.tokens, slots.tokens),
        positions=new(orders.positions, slots.positions),
        starts=new(orders.starts, slots.starts),
        left=new(orders.left, slots.left),
        keys=new(keys, slots.keys),
        forced=new(orders.forced, slots.forced),
        forced_from=new(orders.positions + 1, slots.forced_from),
    )


def _step(model, params, prompts, cache, slots, tables, chance, stops, dtype):
    """One token more in each slot that is not free."""
    busy = slots.left > 0
    own, shared = tables
    hidden, cache = decoder.extend(
        model,
        params,
        slots.tokens,
        jnp.where(busy, slots.positions, EMPTY),
        slots.starts,
        cache,
        own,
        (prompts, shared),
        dtype=dtype,
    )
    logits = meshes.constrain(decoder.logits(model, params, hidden), "b.")
    following = slots.positions + 1
    keys = jax.vmap(jax.random.fold_in)(slots.keys, following)
    settings = (jnp.broadcast_to(x, busy.shape) for x in (chance.temperature, chance.top_k, chance.top_p, chance.min_p))
    tokens, log_probabilities = choose(logits, keys, *settings)
    queued = jnp.arange(slots.forced.shape[1])[None] == (following - slots.forced_from)[:, None]
    forced = jnp.max(jnp.where(queued, slots.forced, NONE), axis=-1)
    tokens, log_probabilities = jax.lax.cond(
        jnp.any(forced != NONE),
        lambda: _replaced(logits, tokens, log_probabilities, forced),
        lambda: (tokens, log_probabilities),
    )
    stopped = jnp.any(tokens[:, None] == jnp.array(stops, jnp.int32)[None], axis=-1)
    slots = dataclasses.replace(
        slots,
        tokens=jnp.where(busy, tokens, slots.tokens),
        positions=jnp.where(busy, following, slots.positions),
        left=jnp.where(busy & ~stopped, slots.left - 1, 0),
    )
    return (cache, slots), (tokens, log_probabilities)


def _replaced(logits, tokens, log_probabilities, forced):
    """Tokens and log-probabilities [B], those that are forced in place of those that were chosen."""
    wanted = jnp.maximum(forced, 0)
    given = forced != NONE
    return jnp.where(given, wanted, tokens), jnp.where(given, log_probability(logits, wanted), log_probabilities)
