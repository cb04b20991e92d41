"""What runs on the device: prompts into the rows that groups share, and several steps of decoding in the slots.

The prompt of a request lies once, in a row, but for its last token, which is the first that each of its slots reads:
all tokens are chosen by one program. Column c of a slot's own cache holds the token c places after that or is left
over from before, with a later position or none, so nothing that a slot computes depends on when it was filled, on
who else is there, or on what was there before it was set back.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from mathjax import config
from mathjax import mesh as meshes
from mathjax.model import decoder
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
    """What the device holds of B sequences; arrays [B] beside the cache. Donated from call to call."""

    cache: dict  # of what follows the prompts
    tokens: jax.Array  # int32; the last token of each sequence, which is not in the cache yet
    positions: jax.Array  # int32; its position
    starts: jax.Array  # int32; the position of column 0
    left: jax.Array  # int32; how many tokens may still be chosen; 0: the slot is free
    places: jax.Array  # int32; row * M + member of its prompt, counted within its part of the mesh
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
    places: jax.Array
    requests: jax.Array  # uint32
    samples: jax.Array  # uint32
    forced: jax.Array  # int32 [B, FORCED]; the first follows at position + 1


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Pack:
    """Prompts on their way into rows, W x T tokens of them packed as in training."""

    tokens: jax.Array  # int32 [W, T]; all but the last of each prompt
    positions: jax.Array  # int32 [W, T]; EMPTY: padding
    segments: jax.Array  # int32 [W, T]
    rows: jax.Array  # int32 [W, T]; where the prompt of each token is to lie
    lengths: jax.Array  # int32 [R]; how many tokens each row is to hold; NONE: as it is


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """What N steps chose in B slots. The tokens of a slot are the first `made` of its column."""

    tokens: jax.Array  # int32 [N, B]
    log_probabilities: jax.Array  # float32 [N, B]
    made: jax.Array  # int32 [B]
    left: jax.Array  # int32 [B]; 0: the sequence has ended, by its last token or for want of room


def empty(model: config.Model, slots: int, length: int, dtype) -> Slots:
    """Free slots for `length` tokens each after their prompts."""
    none = jnp.zeros(slots, jnp.int32)
    return Slots(
        cache=decoder.empty_cache(model, slots, length, dtype),
        tokens=none,
        positions=none,
        starts=none,
        left=none,
        places=none,
        keys=jax.vmap(jax.random.key)(none),
        forced=jnp.full((slots, FORCED), NONE, jnp.int32),
        forced_from=none,
    )


def place(mesh, tree):
    """The sharding of every array of `tree`, whose rows are slots or prompts: rows over `data`, heads over `tensor`."""

    def spec(leaf):
        if leaf.ndim < 4:
            return NamedSharding(mesh, PartitionSpec(meshes.ROWS))
        heads = "tensor" if leaf.shape[1] % mesh.shape["tensor"] == 0 else None
        return NamedSharding(mesh, PartitionSpec(meshes.ROWS, heads))

    return jax.tree.map(spec, tree)


def admit(model: config.Model, params: dict, prompts: dict, pack: Pack, *, dtype) -> dict:
    """`prompts`, a cache of R rows, with those of a pack in it."""
    found = decoder.remember(model, params, pack.tokens, pack.positions, pack.segments, dtype=dtype)
    keys, values = ([part.reshape(-1, *part.shape[2:]) for part in parts] for parts in found)
    rows, columns = pack.rows.reshape(-1), pack.positions.reshape(-1)
    places = jnp.arange(prompts["positions"].shape[1])[None]
    positions = jnp.where(places < pack.lengths[:, None], places, EMPTY)
    return {
        "keys": [
            held.at[rows, :, :, columns].set(ours.astype(held.dtype), mode="drop")
            for held, ours in zip(prompts["keys"], keys, strict=True)
        ],
        "values": [
            held.at[rows, :, columns].set(ours.astype(held.dtype), mode="drop")
            for held, ours in zip(prompts["values"], values, strict=True)
        ],
        "positions": jnp.where((pack.lengths == NONE)[:, None], prompts["positions"], positions),
    }


def advance(
    model: config.Model,
    params: dict,
    prompts: dict,
    slots: Slots,
    orders: Orders,
    chance: Chance,
    *,
    steps: int,
    stops: tuple[int, ...],
    parts: int,
    members: int,
    dtype,
):
    """(slots, Look): orders carried out, then up to `steps` tokens more in every slot that is not free.

    A sequence ends with one of `stops`. Groups have up to `members` slots; `parts` is how many parts of the mesh
    slots and rows are divided among.
    """
    slots = _carry_out(slots, orders, chance.seed)
    shared = prompts | _groups(slots, len(prompts["positions"]) // parts * members, parts)
    before = slots.positions
    slots, (tokens, log_probabilities) = jax.lax.scan(
        lambda slots, _: _step(model, params, shared, slots, chance, stops, dtype), slots, length=steps
    )
    made = slots.positions - before
    return slots, Look(tokens=tokens, log_probabilities=log_probabilities, made=made, left=slots.left)


def _carry_out(slots, orders, seed):
    """The slots with what was ordered; columns from a sequence's last token on are emptied."""
    ordered = orders.left != NONE
    columns = jnp.arange(slots.cache["positions"].shape[1])[None]
    stale = ordered[:, None] & (columns >= (orders.positions - orders.starts)[:, None])
    keys = completion_keys(jnp.broadcast_to(seed, ordered.shape), orders.requests, orders.samples)

    def new(ours, held):
        return jnp.where(ordered.reshape(-1, *(1,) * (held.ndim - 1)), ours, held)

    return Slots(
        cache=slots.cache | {"positions": jnp.where(stale, EMPTY, slots.cache["positions"])},
        tokens=new(orders.tokens, slots.tokens),
        positions=new(orders.positions, slots.positions),
        starts=new(orders.starts, slots.starts),
        left=new(orders.left, slots.left),
        places=new(orders.places, slots.places),
        keys=new(keys, slots.keys),
        forced=new(orders.forced, slots.forced),
        forced_from=new(orders.positions + 1, slots.forced_from),
    )


def _groups(slots, width, parts):
    """Who is where: `members` [P, width], the slot at each place of a part, and `places` [P, B/P], the other way."""
    places = slots.places.reshape(parts, -1)
    busy = slots.left.reshape(parts, -1) > 0
    ours = jnp.broadcast_to(jnp.arange(places.shape[1])[None], places.shape)

    def scatter(places, busy, ours):
        return jnp.zeros(width, jnp.int32).at[jnp.where(busy, places, width)].set(ours, mode="drop")

    return {"places": places, "members": jax.vmap(scatter)(places, busy, ours)}


def _step(model, params, shared, slots, chance, stops, dtype):
    """One token more in each slot that is not free."""
    B, length = slots.cache["positions"].shape
    busy = slots.left > 0
    hidden, cache = decoder.extend(
        model,
        params,
        slots.tokens[:, None],
        jnp.where(busy, slots.positions, EMPTY)[:, None],
        jnp.where(busy, slots.positions - slots.starts, length)[:, None],  # nowhere
        slots.cache,
        shared,
        dtype=dtype,
    )
    logits = meshes.constrain(decoder.logits(model, params, hidden[:, 0]), "b.")
    following = slots.positions + 1
    keys = jax.vmap(jax.random.fold_in)(slots.keys, following)
    settings = (jnp.broadcast_to(x, B) for x in (chance.temperature, chance.top_k, chance.top_p, chance.min_p))
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
        cache=cache,
        tokens=jnp.where(busy, tokens, slots.tokens),
        positions=jnp.where(busy, following, slots.positions),
        left=jnp.where(busy & ~stopped, slots.left - 1, 0),
    )
    return slots, (tokens, log_probabilities)


def _replaced(logits, tokens, log_probabilities, forced):
    """Tokens and log-probabilities [B], those that are forced in place of those that were chosen."""
    wanted = jnp.maximum(forced, 0)
    given = forced != NONE
    return jnp.where(given, wanted, tokens), jnp.where(given, log_probability(logits, wanted), log_probabilities)
