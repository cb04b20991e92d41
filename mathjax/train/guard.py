"""Whether a step may count: a loss or a gradient that is not finite, or far above those before, changes nothing.

The decision falls on the devices, so that it is the same on all hosts and no step waits for one of them. What becomes
of a run with such steps (`config.Train.anomaly`) is for the loop to say.
"""

import jax
import jax.numpy as jnp
import optax

from mathjax import config
from mathjax.train import optimizer

DECAY = 0.98  # of the running mean and spread: about the last 50 steps
WARM = 20  # steps before a spike can be told from noise
LEAST = 0.01  # of the mean: the standard deviation is taken to be at least so much


def init(job: config.Train, params: dict):
    """The state of the optimizer before its first update, and beside it that of the guard where `job.spike` is set."""
    made = optimizer.build(job.optimizer, job.steps).init(params)
    if not job.spike:
        return made
    spread = {"mean": jnp.zeros(2), "square": jnp.zeros(2), "count": jnp.zeros((), jnp.int32)}
    return {"optimizer": made, "spread": spread}


def update(job: config.Train, gradient: dict, state, params: dict, loss: jax.Array):
    """(new params, new state of optimizer and guard, metrics): those of one optimizer step, or the old ones.

    Metrics are float32 scalars: gradient_norm, and anomaly, 1 where the step was left out.
    """
    inner, spread = (state["optimizer"], state["spread"]) if job.spike else (state, None)
    norm = optax.tree.norm(gradient)
    seen = jnp.stack([loss, norm])
    good = jnp.all(jnp.isfinite(seen))
    if job.spike:
        good &= ~_spike(job.spike, spread, seen)
    changes, kept = optimizer.build(job.optimizer, job.steps).update(gradient, inner, params)
    state = {"optimizer": kept, "spread": _with(spread, seen)} if job.spike else kept
    before = {"optimizer": inner, "spread": spread} if job.spike else inner
    new, state = jax.tree.map(
        lambda after, old: jnp.where(good, after, old), (optax.apply_updates(params, changes), state), (params, before)
    )
    return new, state, {"gradient_norm": norm, "anomaly": 1.0 - good.astype(jnp.float32)}


def _spike(limit, spread, seen):
    """Whether the loss or the norm [2] lies more than `limit` standard deviations above its running mean."""
    weight = 1 - DECAY ** spread["count"].astype(jnp.float32)  # of what was seen, against the zeros it began with
    mean, square = (spread[name] / jnp.maximum(weight, 1e-6) for name in ("mean", "square"))
    deviation = jnp.maximum(jnp.sqrt(jnp.maximum(square - mean**2, 0)), LEAST * jnp.abs(mean))
    return (spread["count"] >= WARM) & jnp.any(seen > mean + limit * deviation)


def _with(spread, seen):
    return {
        "mean": DECAY * spread["mean"] + (1 - DECAY) * seen,
        "square": DECAY * spread["square"] + (1 - DECAY) * seen**2,
        "count": spread["count"] + 1,
    }
