"""The choice of the next token: temperature, top-k, top-p, min-p, and one uniform number for each token.

Nothing is sorted: the likeliest tokens are those above a threshold, which is found by bisection over the bits of the
numbers, and a token is drawn where its share of the running sum holds the uniform number. Both are a few passes over
the logits, where a sort or a random number for each token of the vocabulary would cost many times as much.
"""

import jax
import jax.numpy as jnp

BLOCK = 256  # tokens whose weights are added up first


def choose(logits, keys, temperature, top_k, top_p, min_p=None):
    """(tokens, log-probabilities) [B], chosen from float32 logits [B, V] by settings [B].

    Temperature 0 takes the likeliest token. Otherwise the logits are divided by the temperature, the `top_k`
    likeliest tokens stay (0: all), of these the fewest whose shares add up to `top_p` (1: all), of these the ones at
    least `min_p` times as likely as the likeliest (0 or None: all), and one of them is drawn. Of equal tokens the
    lower id counts as likelier. The log-probabilities are the model's own, log_softmax of `logits`, whatever the
    temperature and whichever tokens were left out.
    """
    min_p = jnp.zeros_like(top_p) if min_p is None else min_p
    none = jnp.zeros(len(logits), jnp.int32)
    greedy = jax.lax.cond(jnp.all(temperature > 0), lambda: none, lambda: jnp.argmax(logits, axis=-1).astype(jnp.int32))
    drawn = jax.lax.cond(
        jnp.any(temperature > 0), lambda: _draw(logits, keys, temperature, top_k, top_p, min_p), lambda: none
    )
    tokens = jnp.where(temperature > 0, drawn, greedy)
    return tokens, log_probability(logits, tokens)


def log_probability(logits, tokens):
    """log_softmax of logits [B, V] at tokens [B]: float32 [B]."""
    chosen = jnp.take_along_axis(logits, tokens[:, None], axis=-1)[:, 0]
    highest = jnp.max(logits, axis=-1)
    return chosen - highest - jnp.log(jnp.sum(jnp.exp(logits - highest[:, None]), axis=-1))


def completion_keys(seed, request, sample):
    """The keys of completions, from uint32 [B] each; `fold_in` of a position gives the key of the token there."""

    def key(seed, request, sample):
        return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), request), sample)

    return jax.vmap(key)(seed, request, sample)


def _draw(logits, keys, temperature, top_k, top_p, min_p):
    """A token of each row; rows of temperature 0 get anything."""
    warm = temperature > 0
    scaled = logits / jnp.where(warm, temperature, 1)[:, None]
    scaled = scaled - jnp.max(scaled, axis=-1, keepdims=True)
    weights = jnp.exp(scaled)
    weights = jax.lax.cond(
        jnp.any(warm & (top_k > 0)), lambda: jnp.where(_most(scaled, top_k), weights, 0), lambda: weights
    )
    weights = jax.lax.cond(
        jnp.any(warm & (top_p < 1)), lambda: jnp.where(_nucleus(scaled, weights, top_p), weights, 0), lambda: weights
    )
    weights = jnp.where(weights >= min_p[:, None], weights, 0)  # the likeliest weighs 1
    return _place(weights, jax.vmap(jax.random.uniform)(keys))


def _place(weights, uniform):
    """The token [B] at which the running sum of weights [B, V] passes a share `uniform` [B] of the whole."""
    B, V = weights.shape
    blocks = jnp.pad(weights, ((0, 0), (0, -V % BLOCK))).reshape(B, -1, BLOCK)
    block, rest = _passes(jnp.sum(blocks, axis=-1), uniform)
    within, _ = _passes(jnp.take_along_axis(blocks, block[:, None, None], axis=1)[:, 0], rest)
    return (block * BLOCK + within).astype(jnp.int32)


def _passes(weights, share):
    """Where the running sum of weights [B, N] passes a share of the whole, and the share of that weight passed.

    Never a place that weighs nothing, however the sums are rounded.
    """
    sums = jnp.cumsum(weights, axis=-1)
    target = share * sums[:, -1]
    last = weights.shape[-1] - 1 - jnp.argmax((weights > 0)[:, ::-1], axis=-1)
    place = jnp.minimum(jnp.sum(sums <= target[:, None], axis=-1), last)
    weight, total = (jnp.take_along_axis(x, place[:, None], axis=-1)[:, 0] for x in (weights, sums))
    return place, jnp.clip((target - (total - weight)) / weight, 0, 1)


def _most(scaled, top_k):
    """Whether each token [B, V] is among the `top_k` likeliest; all of them where that is 0."""
    count = jnp.where(top_k > 0, jnp.minimum(top_k, scaled.shape[-1]), scaled.shape[-1])
    threshold = _threshold(scaled, jnp.ones_like(scaled), count.astype(jnp.float32))
    above, equal = scaled > threshold, scaled == threshold
    room = count - jnp.sum(above, axis=-1)
    return above | equal & (jnp.cumsum(equal, axis=-1) <= room[:, None])


def _nucleus(scaled, weights, top_p):
    """Whether each token [B, V] is among the fewest whose weights make up a share `top_p` of all weights."""
    target = jnp.sum(weights, axis=-1) * top_p
    threshold = _threshold(scaled, weights, target)
    above, equal = scaled > threshold, (scaled == threshold) & (weights > 0)
    lacking = target - jnp.sum(jnp.where(above, weights, 0), axis=-1)
    room = jnp.ceil(lacking / jnp.exp(threshold[:, 0]))
    some = above | equal & (jnp.cumsum(equal, axis=-1) <= jnp.maximum(room, 1)[:, None])
    return some | (top_p >= 1)[:, None]


def _threshold(scaled, weights, target):
    """The highest of the numbers [B, V] down to which the weights add up to `target` [B]: [B, 1].

    Bisection over int32 numbers that are ordered as the floats are whose bits they hold; 0 is the highest float.
    """
    bits = jax.lax.bitcast_convert_type(scaled, jnp.int32)
    order = jnp.where(bits < 0, jnp.int32(-(2**31)) - bits, bits)  # of floats up to 0: from -(2**31) + 1 up to 0

    def halve(_, bounds):
        low, high = bounds  # enough from `low` on, too little from `high` on
        middle = low + (high - low) // 2
        enough = jnp.sum(jnp.where(order >= middle[:, None], weights, 0), axis=-1) >= target
        return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

    start = jnp.min(order, axis=-1), jnp.ones(len(scaled), jnp.int32)
    low, _ = jax.lax.fori_loop(0, 32, halve, start)
    return jnp.max(jnp.where(order <= low[:, None], scaled, -jnp.inf), axis=-1, keepdims=True)
