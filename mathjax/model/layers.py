"""The parts of a decoder layer: norm, rotary positions, attention, gated MLP.

Products run on tokens flattened to [B T, D]: on a CPU the gradient of such a product is several times faster
than that of [B, T, D], and elsewhere it is the same program.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from mathjax import chips, config, mesh
from mathjax.model import attention


class RMSNorm(nnx.Module):
    """x / rms(x) * scale over the last axis, in float32; the result has the dtype of x."""

    def __init__(self, width, epsilon):
        self.scale = nnx.Param(jnp.ones(width))
        self.epsilon = epsilon

    def __call__(self, x):
        y = x.astype(jnp.float32)
        y = y * jax.lax.rsqrt(jnp.mean(jnp.square(y), axis=-1, keepdims=True) + self.epsilon)
        return (y * self.scale[...].reshape((1,) * (x.ndim - 1) + (-1,))).astype(x.dtype)


class Linear(nnx.Module):
    """x @ kernel (+ bias) in the dtype of x; kernel [inputs, outputs] drawn from a normal distribution.

    With an adapter of rank r: + alpha/r x @ lora_a @ lora_b, which are [inputs, r], drawn as by `peft`, and
    [r, outputs], zero at first.
    """

    def __init__(self, inputs, outputs, *, bias=False, deviation, lora: config.Lora | None = None, rngs):
        self.kernel = nnx.Param(deviation * jax.random.normal(rngs.params(), (inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs)) if bias else None
        self.lora = lora
        if lora is not None:
            drawn = jax.random.uniform(rngs.params(), (inputs, lora.rank), minval=-1, maxval=1)
            self.lora_a, self.lora_b = nnx.Param(inputs**-0.5 * drawn), nnx.Param(jnp.zeros((lora.rank, outputs)))

    def __call__(self, x):
        product = _cpu_product if chips.platform() == "cpu" else jnp.matmul
        y = product(x, self.kernel[...].astype(x.dtype))
        if self.lora is not None:
            inner = product(x, self.lora_a[...].astype(x.dtype))
            y = y + self.lora.alpha / self.lora.rank * product(inner, self.lora_b[...].astype(x.dtype))
        return y if self.bias is None else y + self.bias[...].astype(x.dtype)[None]


@jax.custom_vjp
def _cpu_product(x, kernel):
    """x @ kernel for matrices, whose gradient by the kernel takes a copy of x transposed.

    XLA's products on a CPU run at two thirds of their speed where the left side is transposed; the barrier keeps it
    from folding the copy into the product.
    """
    return x @ kernel


def _cpu_product_forward(x, kernel):
    return x @ kernel, (x, kernel)


def _cpu_product_backward(kept, change):
    x, kernel = kept
    return change @ kernel.T, jax.lax.optimization_barrier(x.T) @ change


_cpu_product.defvjp(_cpu_product_forward, _cpu_product_backward)


def frequencies(model: config.Model):
    """The angle between one position and the next of each pair of coordinates: float32 [C/2]."""
    C, scaling = model.head_dim, model.rope_scaling
    plain = model.rope_base ** -(jnp.arange(0, C, 2, dtype=jnp.float32) / C)
    if scaling is None:
        return plain
    if scaling.kind == "linear":
        return plain / scaling.factor
    turns = plain * (scaling.original / (2 * jnp.pi))  # within the context before it was scaled
    kept = jnp.clip((turns - scaling.low) / (scaling.high - scaling.low), 0, 1)
    return plain * (kept + (1 - kept) / scaling.factor)


def rotations(positions, frequencies):
    """cos and sin of the angle that each coordinate is turned by at each position: float32 [B, T, C] each.

    Coordinates i and i + C/2 are a pair with one angle (Llama's layout); the first has its sine negated.
    """
    places = jnp.where(positions == attention.EMPTY, 0, positions).astype(jnp.float32)
    angles = places[:, :, None] * frequencies[None, None, :]
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    return jnp.concatenate([cos, cos], axis=-1), jnp.concatenate([-sin, sin], axis=-1)


def rotate(x, turns):
    """x [B, T, H, C] with each pair of coordinates turned by its angle."""
    cos, sin = (turn[:, :, None, :].astype(x.dtype) for turn in turns)
    return x * cos + jnp.roll(x, x.shape[-1] // 2, axis=-1) * sin


class Attention(nnx.Module):
    """Grouped-query attention: H query heads share K heads of keys and values."""

    def __init__(self, model: config.Model, *, rngs):
        D, H, K, C = model.width, model.heads, model.kv_heads, model.head_dim
        spread = {"deviation": model.initializer_range, "bias": model.qkv_bias, "rngs": rngs}
        self.query = Linear(D, H * C, lora=_lora(model, "attention/query"), **spread)
        self.key = Linear(D, K * C, lora=_lora(model, "attention/key"), **spread)
        self.value = Linear(D, K * C, lora=_lora(model, "attention/value"), **spread)
        self.out = Linear(H * C, D, lora=_lora(model, "attention/out"), deviation=_residual(model), rngs=rngs)
        self.query_norm = RMSNorm(C, model.norm_epsilon) if model.qk_norm else None
        self.key_norm = RMSNorm(C, model.norm_epsilon) if model.qk_norm else None
        self.head_dim = C

    def __call__(self, x, turns, look):
        """x [B T, D]; `look(queries, keys, values)` attends, [B, T, heads, C] each. Returns [B T, D]."""
        B, T = turns[0].shape[:2]
        queries, keys, values = (
            mesh.constrain(part(x).reshape(B, T, -1, self.head_dim), "b.h.")
            for part in (self.query, self.key, self.value)
        )
        if self.query_norm is not None:
            queries, keys = self.query_norm(queries), self.key_norm(keys)
        seen = look(rotate(queries, turns), rotate(keys, turns), values)
        return self.out(seen.reshape(B * T, -1))


class MLP(nnx.Module):
    """down(silu(gate(x)) * up(x)) for x [B T, D]."""

    def __init__(self, model: config.Model, *, rngs):
        D, F = model.width, model.mlp_width
        self.gate = Linear(D, F, lora=_lora(model, "mlp/gate"), deviation=model.initializer_range, rngs=rngs)
        self.up = Linear(D, F, lora=_lora(model, "mlp/up"), deviation=model.initializer_range, rngs=rngs)
        self.down = Linear(F, D, lora=_lora(model, "mlp/down"), deviation=_residual(model), rngs=rngs)

    def __call__(self, x):
        return self.down(jax.nn.silu(self.gate(x)) * self.up(x))


class Layer(nnx.Module):
    """One layer: attention and MLP, each after a norm and beside a residual path."""

    def __init__(self, model: config.Model, *, rngs):
        self.attention_norm = RMSNorm(model.width, model.norm_epsilon)
        self.attention = Attention(model, rngs=rngs)
        self.mlp_norm = RMSNorm(model.width, model.norm_epsilon)
        self.mlp = MLP(model, rngs=rngs)

    def __call__(self, x, turns, look):
        x = x + self.attention(self.attention_norm(x), turns, look)
        return x + self.mlp(self.mlp_norm(x))


def _residual(model):
    """Deviation of what is added to the residual path, smaller the more layers add to it (GPT-2)."""
    return model.initializer_range / (2 * model.layers) ** 0.5


def _lora(model, path):
    return model.lora if model.lora is not None and model.lora.reaches(path) else None
