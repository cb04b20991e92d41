"""Models from and to folders of Hugging Face: config.json, safetensors files, what generates, what tokenizes."""

import functools
import json
import os
import pathlib
import shutil

import jax
import jax.numpy as jnp
import numpy as np

from mathjax import config, mesh
from mathjax.model import hf_config, stream, tensors

NAMES = {  # of each array; a kernel lies there as [outputs, inputs]
    "embedding/table": "model.embed_tokens.weight",
    "norm/scale": "model.norm.weight",
    "head/table": "lm_head.weight",
    "layers/attention_norm/scale": "model.layers.{}.input_layernorm.weight",
    "layers/attention/query/kernel": "model.layers.{}.self_attn.q_proj.weight",
    "layers/attention/query/bias": "model.layers.{}.self_attn.q_proj.bias",
    "layers/attention/query_norm/scale": "model.layers.{}.self_attn.q_norm.weight",
    "layers/attention/key/kernel": "model.layers.{}.self_attn.k_proj.weight",
    "layers/attention/key/bias": "model.layers.{}.self_attn.k_proj.bias",
    "layers/attention/key_norm/scale": "model.layers.{}.self_attn.k_norm.weight",
    "layers/attention/value/kernel": "model.layers.{}.self_attn.v_proj.weight",
    "layers/attention/value/bias": "model.layers.{}.self_attn.v_proj.bias",
    "layers/attention/out/kernel": "model.layers.{}.self_attn.o_proj.weight",
    "layers/mlp_norm/scale": "model.layers.{}.post_attention_layernorm.weight",
    "layers/mlp/gate/kernel": "model.layers.{}.mlp.gate_proj.weight",
    "layers/mlp/up/kernel": "model.layers.{}.mlp.up_proj.weight",
    "layers/mlp/down/kernel": "model.layers.{}.mlp.down_proj.weight",
}


def load(
    folder, devices: jax.sharding.Mesh | None = None, *, dtype="float32", vocab_multiple: int = 1
) -> tuple[config.Model, dict]:
    """The model in a folder, its params placed on the mesh (by default: all devices as data).

    `dtype` None keeps that of the files. Only a few rows of an array and one layer's part of it are held on the host.
    ValueError, before anything of size is read, names what the decoder does not have; FileNotFoundError what lacks.
    """
    folder = pathlib.Path(folder)
    model = read_model(folder)
    model.vocab_multiple = vocab_multiple
    found = tensors.find(folder)
    stream.check(model, NAMES, found, folder, lambda name: _unused(model, name))
    devices = mesh.make(config.Mesh()) if devices is None else devices
    return model, stream.load(model, devices, dtype and jnp.dtype(dtype), NAMES, found)


def read_model(folder) -> config.Model:
    """The shape of the model in a folder, by its config.json; ValueError names what the decoder does not have."""
    path = pathlib.Path(folder) / "config.json"
    return hf_config.read(json.loads(path.read_text()), path)


def save(
    folder,
    model: config.Model,
    params: dict,
    *,
    ids: dict[str, int | list[int]],
    texts: dict[str, str],
    generation: dict | None = None,
    shard_bytes: int = 5 * 10**9,
):
    """Write a model that `transformers` loads, whole or not at all, from one host; the params keep their dtypes.

    `ids` are its bos_token_id, eos_token_id and pad_token_id; `texts` further files, by name: those of the tokenizer,
    README.md as the model card; `generation` what generation_config.json says beside the ids. ValueError where the
    folder exists, or for a model that Hugging Face has no architecture for.
    """
    folder = pathlib.Path(folder)
    if folder.exists():
        raise ValueError(f"{folder} exists; what is in it is not overwritten")
    dtype = params["layers"]["mlp"]["up"]["kernel"].dtype.name
    about = {
        "config.json": hf_config.write(model, dtype=dtype, ids=ids),
        "generation_config.json": {**ids, **(generation or {})},
    }
    unfinished = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name, values in about.items():
        (unfinished / name).write_text(json.dumps(values, indent=2) + "\n")
    for name, text in texts.items():
        (unfinished / name).write_text(text, encoding="utf-8")
    tensors.write(unfinished, _made(model, params), shard_bytes)
    os.rename(unfinished, folder)


def card(name: str, about: dict) -> str:
    """A model card (README.md) that says what made a model: `about` is what its checkpoint says, with the recipe."""
    recipe = about.get("recipe") or {}
    told = {"recipe": recipe, "digests of record files": about.get("digests") or {}}
    blocks = [f"The {title}:\n\n```json\n{json.dumps(told[title], indent=2)}\n```\n" for title in told if told[title]]
    front = "---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n- math\n---\n"
    made = "Trained with mathjax." if recipe else "Converted with mathjax."
    return "\n".join([front, f"# {name}\n", f"{made}\n", *blocks])


def _made(model, params):
    """Every array to be written, layer after layer."""
    leaves = {mesh.path_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(params)}
    for name, path, layer, shape in sorted(stream.wanted(model, NAMES), key=lambda row: (row[2] or 0, row[0])):
        make = functools.partial(_take, leaves[path], layer, path.endswith("kernel"), shape[0])
        yield tensors.Made(name, shape, np.dtype(leaves[path].dtype), make)


def _take(leaf, layer, turned, rows):
    """An array as it lies in a file, fetched from the devices; without rows that stand for no token."""
    array = np.asarray(leaf if layer is None else leaf[layer])
    return (array.T if turned else array)[:rows]


def _unused(model, name):
    """Whether an array in a file is one that other names for the same thing have made superfluous."""
    return name.endswith("rotary_emb.inv_freq") or (model.tied_embeddings and name == NAMES["head/table"])
