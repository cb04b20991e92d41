"""Attention of packed rows by several kernels, chosen by platform and shape, all under the one visibility rule.

A packed row holds its segments one after the other, and the positions of a segment count up from its first token.
There the rule, same segment and position not after, is the same as: same segment and column not after. The fused
kernels are told the segments and the columns; padding, which no weight reaches, may see other padding than by the rule.

cuDNN's attention is not among them: as JAX offers it, it sees segments only as an additive bias [B, 1, T, T], whose
gradient it then also computes.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.pallas.ops.gpu import attention as pallas_gpu
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel, splash_attention_mask
from jax.sharding import PartitionSpec

from mathjax import chips, mesh
from mathjax.model.attention import EMPTY, attend, visible

NAMES = ("xla", "chunked", "splash", "triton")
WHOLE = 1024  # the longest row whose scores are held at once; beyond, XLA takes its queries in chunks
CHUNK = 512  # the most queries of a chunk
BLOCK = 512  # the most queries, and keys, that splash attention has in its hands
LANES = 128  # of a TPU; a block is a multiple of it, and of the blocks of the kernel for GPUs


class Leak(RuntimeError):
    """An attention kernel let a query see a key that it must not see, or hid one that it must."""


def choose(name: str, T: int, platform: str | None = None) -> str:
    """The kernel for packed rows of T tokens: `name`, or where that is `auto`, the fastest of a platform.

    That is by default the platform of the mesh in use. ValueError where the kernel named cannot take such rows.
    """
    fused = {"tpu": "splash", "gpu": "triton"}.get(platform or chips.platform())
    if name == "auto":
        return fused if fused and T % LANES == 0 else "xla" if T <= WHOLE else "chunked"
    if name in ("splash", "triton") and T % LANES:
        raise ValueError(f"attention={name!r} takes rows of a multiple of {LANES} tokens, got {T}")
    return name


def look(name: str, segments, positions):
    """A function of queries [B, T, H, C], keys and values [B, T, K, C] that attends within packed rows.

    segments and positions are int32 [B, T]; `name` is one of NAMES. Returns [B, T, H, C] in the dtype of the values.
    """
    if name == "xla":
        return functools.partial(attend, seen=visible(segments, positions, segments, positions))
    if name == "chunked":
        return functools.partial(_chunked, segments=segments, positions=positions)
    kernel = {"splash": _splash, "triton": _triton}[name]
    return functools.partial(_on_each_device, kernel, segments=segments)


def probe(name: str, rows: int, T: int, H: int, K: int, C: int, dtype):
    """Raise Leak unless the kernel, compiled as it will be used, lets queries see what the rule says and no more.

    Every row holds two segments and padding; which values a query sees is read off exactly, from its gradient.
    """
    cut, end = max(1, T // 3 - 1), max(2, T - T // 7)
    columns = np.arange(T)
    segments = np.where(columns < cut, 1, np.where(columns < end, 2, 0)).astype(np.int32)
    positions = np.where(segments == 1, columns, np.where(segments == 2, columns - cut, EMPTY)).astype(np.int32)
    queries = sorted({query for query in (0, cut - 1, cut, (cut + end) // 2, end - 1) if query < T})

    def reached():  # bool [queries, rows, T]
        place = functools.partial(mesh.constrain, letters="b.h.")
        keys = jax.random.split(jax.random.key(0), 3)
        shapes = ((rows, T, H, C), (rows, T, K, C), (rows, T, K, C))
        q, k, v = (place(jax.random.normal(key, shape, dtype)) for key, shape in zip(keys, shapes, strict=True))
        attends = look(name, *(jnp.tile(jnp.asarray(x)[None], (rows, 1)) for x in (segments, positions)))
        out, back = jax.vjp(lambda values: attends(q, k, values), v)
        hot = jnp.asarray(np.eye(T)[queries][:, None, :, None, None], out.dtype)
        changes = jax.lax.map(lambda one: back(jnp.broadcast_to(one, out.shape))[0], hot)
        return jnp.any(changes != 0, axis=(3, 4))

    found = np.asarray(jax.jit(reached)())
    for number, query in enumerate(queries):
        wanted = (segments == segments[query]) & (columns <= query)
        if (wrong := np.flatnonzero((found[number] != wanted).any(axis=0))).size:
            raise Leak(
                f"attention kernel {name!r} on {chips.platform()}: in rows of {T} tokens, query {query} should see the "
                f"keys {cut if query >= cut else 0} to {query}, and differs at {wrong[:8].tolist()} ({wrong.size} in "
                "all); --config.attention=xla or chunked is another one"
            )


def _chunked(queries, keys, values, segments, positions):
    """`attend`, some queries at a time: their scores are made again in the backward pass, never all held."""
    B, T = segments.shape
    size = next(size for size in range(min(CHUNK, T), 0, -1) if T % size == 0)

    @jax.checkpoint
    def part(now):
        some, segment, position = now
        return attend(some, keys, values, visible(segment, position, segments, positions))

    split = [jnp.moveaxis(x.reshape(B, -1, size, *x.shape[2:]), 1, 0) for x in (queries, segments, positions)]
    return jnp.moveaxis(jax.lax.map(part, tuple(split)), 0, 1).reshape(queries.shape).astype(values.dtype)


def _on_each_device(kernel, queries, keys, values, segments):
    """`kernel` on every device's own rows and heads: the compiler cannot split a kernel by itself."""
    sizes = chips.shared()
    if math.prod(sizes.values()) == 1:
        return kernel(queries, keys, values, segments)
    rows = tuple(name for name in mesh.ROWS if name in sizes)
    rows = rows if len(queries) % math.prod(sizes[name] for name in rows) == 0 else None
    heads = "tensor" if "tensor" in sizes and keys.shape[2] % sizes["tensor"] == 0 else None
    array = PartitionSpec(rows, None, heads, None)
    split = jax.shard_map(
        kernel,
        in_specs=(array, array, array, PartitionSpec(rows, None)),
        out_specs=array,
        axis_names=set(sizes),
        check_vma=False,
    )
    return split(queries, keys, values, segments)


def _splash(queries, keys, values, segments):
    """Splash attention, JAX's kernel for TPUs (interpreted on a CPU), which skips the blocks that no query sees."""
    _, T, H, C = queries.shape
    size = next(size for size in range(min(BLOCK, T), 0, -LANES) if T % size == 0)
    names = ("q", "kv", "kv_compute", "q_dkv", "kv_dkv", "kv_dkv_compute", "q_dq", "kv_dq")
    attends = splash_attention_kernel.make_splash_mha(
        mask=splash_attention_mask.MultiHeadMask([splash_attention_mask.CausalMask((T, T))] * H),
        block_sizes=splash_attention_kernel.BlockSizes(**{f"block_{name}": size for name in names}),
        head_shards=1,
        q_seq_shards=1,
        interpret=chips.platform() == "cpu",
    )
    scaled = (queries.astype(jnp.float32) * C**-0.5).astype(queries.dtype)
    q, k, v = (jnp.swapaxes(x, 1, 2) for x in (scaled, keys, values))
    seen = jax.vmap(attends)(q, k, v, splash_attention_kernel.SegmentIds(segments, segments))
    return jnp.swapaxes(seen, 1, 2)


def _triton(queries, keys, values, segments):
    """JAX's Pallas kernel for GPUs (interpreted on a CPU), which has as many heads of keys as of queries."""
    H, C = queries.shape[2:]
    keys, values = (jnp.repeat(x, H // x.shape[2], axis=2) for x in (keys, values))
    return pallas_gpu.mha(
        queries, keys, values, segments, sm_scale=C**-0.5, causal=True, interpret=chips.platform() == "cpu"
    )
