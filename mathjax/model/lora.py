"""Adapters of low rank (LoRA, 2106.09685) among the params of a decoder: told apart, merged, handed to `peft`.

A model with adapters has `config.Model.lora`; its params are those of the model without, and beside each kernel that
the targets reach `lora_a` [inputs, rank] and `lora_b` [rank, outputs].
"""

import dataclasses
import functools
import json
import os
import pathlib
import shutil

import jax
import jax.numpy as jnp
import numpy as np

from mathjax import config, mesh
from mathjax.model import decoder, hf, tensors

PARTS = ("lora_a", "lora_b")


def adapted(model: config.Model, lora: config.Lora | None) -> config.Model:
    """The model with adapters, or, for None, without."""
    return dataclasses.replace(model, lora=lora)


def split(params: dict) -> tuple[dict, dict]:
    """(params of the model without adapters, the adapters alone), the same nesting of each."""
    rest, adapters = {}, {}
    for name, part in params.items():
        if isinstance(part, dict):
            inner_rest, inner_adapters = split(part)
            rest |= {name: inner_rest} if inner_rest else {}
            adapters |= {name: inner_adapters} if inner_adapters else {}
        else:
            (adapters if name in PARTS else rest)[name] = part
    return rest, adapters


def join(rest: dict, adapters: dict) -> dict:
    """The params that `split` gave as one again."""
    both = {name: join(rest[name], adapters[name]) for name in rest.keys() & adapters.keys()}
    return rest | adapters | both


def merge(model: config.Model, rest: dict, adapters: dict, devices: jax.sharding.Mesh) -> tuple[config.Model, dict]:
    """The model without adapters that computes the same: each product added to its kernel, in float32.

    Kernels keep their dtype. `rest`, the params beside the adapters, may not be used afterwards.
    """
    made = functools.partial(_merged, model.lora.alpha / model.lora.rank)
    where = mesh.place(devices, rest)
    return adapted(model, None), jax.jit(made, out_shardings=where, donate_argnums=0)(rest, adapters)


def digest(params: dict) -> str:
    """Names the params that adapters belong to: equal wherever and however these lie, in float32 or in bfloat16."""
    rest, _ = split(params)
    sums = jax.device_get(jax.jit(lambda tree: jax.tree.map(_sum, tree))(rest))
    named = sorted((mesh.path_name(path), int(leaf)) for path, leaf in jax.tree_util.tree_leaves_with_path(sums))
    total = functools.reduce(lambda held, row: (held * 1_000_003 + row[1]) % 2**64, named, len(named))
    return f"{total:016x}"


def save(folder, model: config.Model, adapters: dict, *, base: str, card: str = ""):
    """Write adapters as a folder that `peft` loads beside the model called `base`, whole or not at all.

    ValueError where the folder exists.
    """
    folder = pathlib.Path(folder)
    if folder.exists():
        raise ValueError(f"{folder} exists; what is in it is not overwritten")
    lora = model.lora
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": 0.0,
        "target_modules": [_module(path).rpartition(".")[2] for path in config.KERNELS if lora.reaches(path)],
        "bias": "none",
        "inference_mode": True,
    }
    unfinished = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    (unfinished / "adapter_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    if card:
        (unfinished / "README.md").write_text(card, encoding="utf-8")
    tensors.write_file(unfinished / "adapter_model.safetensors", list(_made(model, adapters)))
    os.rename(unfinished, folder)


def _merged(scale, rest, adapters):
    merged = rest | {name: _merged(scale, rest[name], part) for name, part in adapters.items() if name not in PARTS}
    if "lora_a" not in adapters:
        return merged
    a, b = (adapters[name].astype(jnp.float32) for name in PARTS)
    kernel = rest["kernel"].astype(jnp.float32) + scale * jnp.matmul(a, b, precision="highest")
    return merged | {"kernel": kernel.astype(rest["kernel"].dtype)}


def _sum(leaf):
    """A sum modulo 2**32 of all numbers of an array, rounded to bfloat16, each times an odd number for its place."""
    bits = jax.lax.bitcast_convert_type(leaf.astype(jnp.bfloat16), jnp.uint16).astype(jnp.uint32)
    place = functools.reduce(
        lambda held, axis: held * jnp.uint32(leaf.shape[axis]) + jax.lax.broadcasted_iota(jnp.uint32, leaf.shape, axis),
        range(leaf.ndim),
        jnp.uint32(0),
    )
    return jnp.sum((bits + 1) * (place * jnp.uint32(2_654_435_761) | 1), dtype=jnp.uint32)


def _made(model, adapters):
    """Every array of the adapters, as `peft` names and turns them, layer after layer."""
    for path in filter(model.lora.reaches, config.KERNELS):
        kind, name = path.split("/")
        for layer in range(model.layers):
            for part in PARTS:
                leaf = adapters["layers"][kind][name][part]
                named = f"base_model.model.{_module(path).format(layer)}.{part[:-1]}{part[-1].upper()}.weight"
                shape = leaf.shape[:0:-1]
                yield tensors.Made(named, shape, np.dtype(leaf.dtype), functools.partial(_take, leaf, layer))


def _take(leaf, layer):
    return np.asarray(leaf[layer]).T


def _module(path):
    """What Hugging Face calls the part of a layer that holds a kernel: model.layers.{}.self_attn.q_proj."""
    return hf.NAMES[f"layers/{path}/kernel"].removesuffix(".weight")


def fresh(model: config.Model, key) -> dict:
    """Adapters before the first update, under `jax.jit`: what they add is 0."""
    return split(decoder.init(model, key))[1]
