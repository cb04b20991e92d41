"""What a step of training costs, and how fast the devices could be at best."""

import time

import jax
import jax.numpy as jnp

from mathjax import chips, config


def step_flops(model: config.Model, tokens: float, pairs: float) -> float:
    """FLOPs of a forward and a backward pass over `tokens` real tokens, `pairs` of which see one another.

    A matrix of n parameters costs 2 n per token and pass; a query that sees a key costs 4 H C per layer and pass;
    the backward pass costs two, and for matrices with adapters one, as they get no gradient themselves. Padding, norms,
    recomputation and the adapters do not count.
    """
    attention = model.width * model.head_dim * 2 * (model.heads + model.kv_heads)
    matrices = model.layers * (attention + 3 * model.width * model.mlp_width) + model.vocab_size * model.width
    passes = 3 if model.lora is None else 2
    return passes * 2 * matrices * tokens + 3 * 4 * model.heads * model.head_dim * model.layers * pairs


def peak(dtype: str) -> float | None:
    """FLOP/s of all devices at best: by data sheet, on a CPU as one large product measures; None if unknown."""
    if jax.default_backend() == "cpu":
        return _measured(jnp.dtype(dtype)) * jax.process_count()
    chip = chips.of_kind(jax.devices()[0].device_kind)
    return None if chip is None else chip.flops / chip.devices * jax.device_count()


def _measured(dtype, size=1024, tries=5):
    product = jax.jit(jnp.matmul)
    x = jnp.ones((size, size), dtype)
    product(x, x).block_until_ready()
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        product(x, x).block_until_ready()
        times.append(time.perf_counter() - start)
    return 2 * size**3 / min(times)
