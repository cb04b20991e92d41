"""Losses: weighted sums over tokens. The weights of a global batch sum to one before they come here."""

import functools
import math

import jax
import jax.numpy as jnp

from mathjax import chips
from mathjax.model import decoder

CHUNK = 2**25  # the most logits held at a time on a device


def next_token(model, params, batch, **settings):
    """Cross-entropy of the targets, summed with the batch's weights, and what else is worth knowing.

    `settings` are those of `decoder.apply`. Returns (loss, {"accuracy": weighted share of targets that are the most
    likely token}).
    """
    hidden = decoder.apply(model, params, batch.tokens, batch.positions, batch.segments, **settings)
    loss, hits = cross_entropy(model, params, hidden, batch.targets, batch.weights)
    return loss, {"accuracy": hits}


def cross_entropy(model, params, hidden, targets, weights):
    """Weighted sums of -log p(target) and of hits: float32 scalars from hidden [B, T, D], targets, weights [B, T].

    The logits of the whole batch are never held: positions are worked off in chunks of at most CHUNK logits, and
    the backward pass makes each chunk's logits again.
    """
    T, V = targets.shape[1], decoder.head(params).shape[0]
    chunks = _chunks(T, targets.size * V / math.prod(chips.shared().values()))
    loss = functools.partial(_cross_entropy, model)
    if chunks == 1:
        return loss(params, hidden, targets, weights)

    def part(sums, now):
        return jax.tree.map(jnp.add, sums, jax.checkpoint(loss)(params, *now)), None

    split = jax.tree.map(
        lambda x: jnp.moveaxis(x.reshape(x.shape[0], chunks, -1, *x.shape[2:]), 1, 0), (hidden, targets, weights)
    )
    return jax.lax.scan(part, (jnp.zeros(()), jnp.zeros(())), split)[0]


def _chunks(T, logits):
    """The smallest divisor of T that makes chunks of at most CHUNK logits."""
    return next(n for n in range(1, T + 1) if T % n == 0 and (logits / n <= CHUNK or n == T))


def _cross_entropy(model, params, hidden, targets, weights):
    scores = decoder.logits(model, params, hidden)
    chosen = jnp.take_along_axis(scores, targets[..., None], axis=-1)[..., 0]
    losses = jax.nn.logsumexp(scores, axis=-1) - chosen
    hits = chosen >= jnp.max(jax.lax.stop_gradient(scores), axis=-1)
    return jnp.sum(weights * losses), jnp.sum(weights * hits)
