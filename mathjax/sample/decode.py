"""What runs on the device: prompts into slots, several steps of decoding, and the choice of the next token.

Column c of a slot's cache holds the token of position c or is empty, so nothing that a slot computes depends on
when it was filled or on who else is there. The last token of a prompt is left for the first step: all tokens are
chosen by one program.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from mathjax import config
from mathjax import mesh as meshes
from mathjax.model import decoder
from mathjax.model.attention import EMPTY


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Chance:
    """How the tokens of each slot are chosen: arrays [B]."""

    keys: jax.Array  # of the completion; the key of a token follows from it and the token's position
    temperature: jax.Array  # float32; 0: greedy
    top_k: jax.Array  # int32; 0: all
    top_p: jax.Array  # float32; 1: all


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Slots:
    """What the device holds of B sequences; arrays [B] beside the cache. Donated from call to call."""

    cache: dict
    tokens: jax.Array  # int32; the last token of each sequence, which is not in the cache yet
    positions: jax.Array  # int32; its position
    left: jax.Array  # int32; how many tokens may still be chosen; 0: the slot is free
    chance: Chance


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Wave:
    """R prompts on their way into slots; arrays [R] beside `prompts`. A row whose slot does not exist is padding."""

    slots: jax.Array  # int32
    prompts: jax.Array  # int32 [R, T]; all but the last token of each prompt, then anything
    tokens: jax.Array  # int32; the last token of each prompt
    positions: jax.Array  # int32; its position
    left: jax.Array  # int32; how many tokens may be chosen
    seed: jax.Array  # uint32
    request: jax.Array  # uint32
    sample: jax.Array  # uint32
    temperature: jax.Array  # float32
    top_k: jax.Array  # int32
    top_p: jax.Array  # float32


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """What N steps chose in B slots. The tokens of a slot are the first `made` of its column."""

    tokens: jax.Array  # int32 [N, B]
    log_probabilities: jax.Array  # float32 [N, B]
    made: jax.Array  # int32 [B]
    left: jax.Array  # int32 [B]; 0: the sequence has ended, by its last token or for want of room


def empty(model: config.Model, slots: int, length: int, dtype) -> Slots:
    """Free slots for sequences of at most `length` tokens."""
    none = jnp.zeros(slots, jnp.int32)
    return Slots(
        cache=decoder.empty_cache(model, slots, length, dtype),
        tokens=none,
        positions=none,
        left=none,
        chance=Chance(
            keys=jax.vmap(jax.random.key)(none),
            temperature=jnp.zeros(slots),
            top_k=none,
            top_p=jnp.ones(slots),
        ),
    )


def place(mesh, slots: Slots):
    """The sharding of every array of `slots`: slots over the rows of a batch, heads over `tensor`.

    ValueError where the mesh cannot share the slots evenly.
    """
    rows = meshes.ROWS
    B, K = slots.cache["keys"][0].shape[:2]
    parts = mesh.shape["data"] * mesh.shape["fsdp"]
    if B % parts:
        raise ValueError(f"slots={B} must be a multiple of the {parts} parts that the mesh {dict(mesh.shape)} makes")
    heads = "tensor" if K % mesh.shape["tensor"] == 0 else None

    def spec(leaf):
        return NamedSharding(mesh, PartitionSpec(rows, heads) if leaf.ndim == 4 else PartitionSpec(rows))

    return jax.tree.map(spec, slots)


def admit(model: config.Model, params: dict, slots: Slots, wave: Wave, *, dtype) -> Slots:
    """`slots` with the prompts of a wave in them, ready to be continued."""
    R, T = wave.prompts.shape
    columns = jnp.broadcast_to(jnp.arange(T)[None], (R, T))
    positions = jnp.where(columns < wave.positions[:, None], columns, EMPTY)
    fresh = decoder.empty_cache(model, R, T, dtype)
    _, fresh = decoder.extend(model, params, wave.prompts, positions, columns, fresh, dtype=dtype)

    def put(held, ours, axis=None):
        """`ours` in the slots of the wave; along `axis`, the first T places of `held`."""
        where = (wave.slots,) + (slice(None),) * ((axis or 1) - 1) + ((slice(T),) if axis else ())
        return held.at[where].set(ours, mode="drop")

    rest = ((0, 0), (0, slots.cache["positions"].shape[1] - T))
    cache = {
        "keys": [put(held, ours, 3) for held, ours in zip(slots.cache["keys"], fresh["keys"], strict=True)],
        "values": [put(held, ours, 2) for held, ours in zip(slots.cache["values"], fresh["values"], strict=True)],
        "positions": put(slots.cache["positions"], jnp.pad(fresh["positions"], rest, constant_values=EMPTY)),
    }
    chance = Chance(
        keys=completion_keys(wave.seed, wave.request, wave.sample),
        temperature=wave.temperature,
        top_k=wave.top_k,
        top_p=wave.top_p,
    )
    return Slots(
        cache=cache,
        tokens=put(slots.tokens, wave.tokens),
        positions=put(slots.positions, wave.positions),
        left=put(slots.left, wave.left),
        chance=jax.tree.map(put, slots.chance, chance),
    )


def advance(model: config.Model, params: dict, slots: Slots, *, steps: int, stops: tuple[int, ...], dtype):
    """(slots, Look): up to `steps` tokens more in every slot that is not free, until one of `stops` is chosen."""
    before = slots.positions
    slots, (tokens, log_probabilities) = jax.lax.scan(
        lambda slots, _: _step(model, params, slots, stops, dtype), slots, length=steps
    )
    made = slots.positions - before
    return slots, Look(tokens=tokens, log_probabilities=log_probabilities, made=made, left=slots.left)


def choose(logits, keys, temperature, top_k, top_p):
    """(tokens, log-probabilities) [B], chosen from float32 logits [B, V].

    Temperature 0 takes the likeliest token. Otherwise the logits are divided by the temperature, the `top_k`
    likeliest tokens stay (0: all), of these the fewest whose shares add up to `top_p` (1: all), and one of them is
    drawn. Of equal tokens the lower id counts as likelier. The log-probabilities are the model's own, log_softmax
    of `logits`, whatever the temperature and whichever tokens were left out.
    """
    greedy = jnp.argmax(logits, axis=-1).astype(jnp.int32)
    tokens = jax.lax.cond(
        jnp.any(temperature > 0),
        lambda: jnp.where(temperature > 0, _draw(logits, keys, temperature, top_k, top_p), greedy),
        lambda: greedy,
    )
    return tokens, jnp.take_along_axis(jax.nn.log_softmax(logits), tokens[:, None], axis=-1)[:, 0]


def completion_keys(seed, request, sample):
    """The keys of completions, from uint32 [B] each; `fold_in` of a position gives the key of the token there."""

    def key(seed, request, sample):
        return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), request), sample)

    return jax.vmap(key)(seed, request, sample)


def _step(model, params, slots, stops, dtype):
    """One token more in each slot that is not free."""
    chance, length = slots.chance, slots.cache["positions"].shape[1]
    busy = slots.left > 0
    hidden, cache = decoder.extend(
        model,
        params,
        slots.tokens[:, None],
        jnp.where(busy, slots.positions, EMPTY)[:, None],
        jnp.where(busy, slots.positions, length)[:, None],  # nowhere
        slots.cache,
        dtype=dtype,
    )
    logits = meshes.constrain(decoder.logits(model, params, hidden[:, 0]), "b.")
    keys = jax.vmap(jax.random.fold_in)(chance.keys, slots.positions + 1)
    tokens, log_probabilities = choose(logits, keys, chance.temperature, chance.top_k, chance.top_p)
    stopped = jnp.any(tokens[:, None] == jnp.array(stops, jnp.int32)[None], axis=-1)
    following = Slots(
        cache=cache,
        tokens=jnp.where(busy, tokens, slots.tokens),
        positions=jnp.where(busy, slots.positions + 1, slots.positions),
        left=jnp.where(busy & ~stopped, slots.left - 1, 0),
        chance=chance,
    )
    return following, (tokens, log_probabilities)


def _draw(logits, keys, temperature, top_k, top_p):
    """A token of each row by the Gumbel trick; rows of temperature 0 get anything."""
    warm = temperature > 0
    scaled = logits / jnp.where(warm, temperature, 1)[:, None]
    kept = jax.lax.cond(
        jnp.any(warm & ((top_k > 0) | (top_p < 1))),
        lambda: _keep(scaled, top_k, top_p),
        lambda: jnp.ones(logits.shape, bool),
    )
    noise = jax.vmap(lambda key: jax.random.gumbel(key, logits.shape[1:]))(keys)
    return jnp.argmax(jnp.where(kept, scaled + noise, -jnp.inf), axis=-1).astype(jnp.int32)


def _keep(logits, top_k, top_p):
    """Whether each token [B, V] is among the `top_k`, and among the fewest of these that add up to `top_p`."""
    V = logits.shape[-1]
    ids = jnp.arange(V)[None]
    falling, order = jax.lax.top_k(logits, V)
    among = ids < jnp.where(top_k > 0, top_k, V)[:, None]  # by rank
    shares = jax.nn.softmax(jnp.where(among, falling, -jnp.inf))
    before = jnp.pad(jnp.cumsum(shares, axis=-1)[:, :-1], ((0, 0), (1, 0)))
    count = jnp.sum(among & ((before < top_p[:, None]) | (top_p >= 1)[:, None]), axis=-1, keepdims=True)
    last, last_id = (jnp.take_along_axis(x, count - 1, axis=-1) for x in (falling, order))
    return (logits > last) | ((logits == last) & (ids <= last_id))
