"""A step by formula: what it holds, computes and sends, for GPUs and to choose among layouts before compiling.

Arrays are counted in bytes per device, d x f x t devices: tensors of the params over f t, rows over d f.
"""

import math
from dataclasses import dataclass

from mathjax import config
from mathjax.train import flops, losses
from mathjax.train.plan.count import Collective, Work

AGAIN = {"none": 0.0, "products": 0.02, "layers": 1.0}  # the share of the forward pass that the backward pass repeats


@dataclass(frozen=True)
class Memory:
    """Bytes on a device."""

    params: int
    optimizer: int
    working: int  # gradients, activations and whatever else a step needs beside them


def parameters(model: config.Model) -> tuple[int, int, int]:
    """How many there are: in the matrices of all layers, in the tables, in adapters."""
    D, F, C = model.width, model.mlp_width, model.head_dim
    shapes = {"attention/query": (D, model.heads * C), "attention/key": (D, model.kv_heads * C)}
    shapes |= {"attention/value": (D, model.kv_heads * C), "attention/out": (model.heads * C, D)}
    shapes |= {"mlp/gate": (D, F), "mlp/up": (D, F), "mlp/down": (F, D)}
    tables = model.rows * D * (1 if model.tied_embeddings else 2)
    lora = model.lora
    adapters = sum(lora.rank * sum(shape) for name, shape in shapes.items() if lora and lora.reaches(name))
    return model.layers * sum(map(math.prod, shapes.values())), tables, model.layers * adapters


def memory(job: config.Train, sizes: config.Mesh) -> Memory:
    """What a device holds, for a job with the shape of its model known; `sizes` without -1."""
    model, (layers, tables, adapters) = job.model, parameters(job.model)
    D, F, C, H, K, L = model.width, model.mlp_width, model.head_dim, model.heads, model.kv_heads, model.layers
    shared, tokens = sizes.fsdp * sizes.tensor, _tokens(job, sizes)
    moments = (2 if job.optimizer.momentum_dtype == "bfloat16" else 4) + (4 if job.optimizer.name == "adamw" else 0)
    trained = adapters or layers + tables
    held = (layers + tables) * (2 if job.pretrained and job.pretrained.dtype == "bfloat16" else 4)
    saved = {"layers": D, "products": D * 3 + (H + 2 * K) * C + 2 * F, "none": D * 8 + 3 * (H + 2 * K) * C + 5 * F}
    inner = tokens * 2 * (6 * D + 3 * (H + 2 * K) * C + 5 * F) / sizes.tensor  # of the one layer that is worked on
    activations = L * tokens * 2 * (D + (saved[job.remat] - D) / sizes.tensor) + inner
    logits = 3 * 4 * min(losses.CHUNK, tokens * model.rows)
    gathered = 3 * 2 * layers / L / sizes.tensor if sizes.fsdp > 1 else 0
    copies = 2 * layers / shared  # in the dtype of the products
    offloaded = 0 if job.offload else moments * trained / shared
    return Memory(
        int((held + 4 * adapters) / shared),
        int(offloaded),
        int(4 * trained / shared * (2 if job.accumulate > 1 else 1) + copies + activations + logits + gathered),
    )


def work(job: config.Train, sizes: config.Mesh) -> Work:
    """What a device computes and moves in a step, if every row is one text."""
    model, (layers, tables, adapters) = job.model, parameters(job.model)
    count, tokens = sizes.data * sizes.fsdp * sizes.tensor, _tokens(job, sizes)
    parts, wide = max(job.accumulate, 1), layers + tables
    whole = flops.step_flops(model, *row_tokens(job))
    again = AGAIN[job.remat] * whole / (3 if model.lora is None else 2) * (1 - tables / wide)
    mine = tuple(range(sizes.fsdp))
    met = []
    if sizes.fsdp > 1:
        met.append(Collective("all-gather", int(2 * wide / sizes.tensor), _stride(sizes, "fsdp"), 2 * parts))
        trained = adapters or wide
        met.append(Collective("reduce-scatter", int(2 * trained / sizes.tensor), _stride(sizes, "fsdp"), parts))
    if sizes.data > 1:
        share = int(4 * (adapters or wide) / (sizes.fsdp * sizes.tensor))
        met.append(Collective("all-reduce", share, _stride(sizes, "data"), parts if len(mine) > 1 else 1))
    if sizes.tensor > 1:
        often = int(model.layers * (4 + 2 * AGAIN[job.remat])) * parts
        met.append(Collective("all-reduce", int(2 * tokens * model.width), _stride(sizes, "tensor"), often))
    passes = (3 + AGAIN[job.remat]) * parts
    touched = (
        passes * 2 * wide / sizes.tensor + passes * tokens * parts * 2 * model.layers * 20 * model.width / sizes.tensor
    )
    return Work(int((whole + again) / count), int(touched + 28 * wide / (sizes.fsdp * sizes.tensor)), tuple(met))


def row_tokens(job: config.Train) -> tuple[int, float]:
    """Tokens of a batch, and pairs that see one another, if every row is full and one text."""
    rows, T = job.data.rows, job.data.length
    return rows * T, rows * T * (T + 1) / 2


def _tokens(job, sizes):
    """Tokens that a device works on at a time."""
    return job.data.rows * job.data.length // (sizes.data * sizes.fsdp * max(job.accumulate, 1))


def _stride(sizes, axis):
    """The devices that meet along an axis: the first group, in the order data, fsdp, tensor."""
    step = {"tensor": 1, "fsdp": sizes.tensor, "data": sizes.fsdp * sizes.tensor}[axis]
    return tuple(range(0, getattr(sizes, axis) * step, step))
