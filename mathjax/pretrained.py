"""A model with its tokenizer, from wherever it lies: a run or checkpoint of mathjax (adapters are merged into the model
they belong to), a folder of Hugging Face, a GGUF file, or a name on the hub.
"""

import dataclasses
import functools
import pathlib
import shutil

import jax
import jax.numpy as jnp

from mathjax import checkpoint, config, mesh, tokens
from mathjax.model import gguf, hf, lora

PATTERNS = ("*.json", "*.safetensors", "*.jinja")  # of the files taken from the hub


@dataclasses.dataclass(frozen=True)
class Pretrained:
    """A model that can be called and asked."""

    model: config.Model
    params: dict
    tokenizer: tokens.CharacterTokenizer | tokens.PretrainedTokenizer
    about: dict  # what its checkpoint says about it; of a model from elsewhere: nothing
    path: pathlib.Path  # the step's folder, the folder or the file


def load(
    source: str, devices: jax.sharding.Mesh | None = None, *, revision="", dtype="float32", vocab_multiple=1
) -> Pretrained:
    """The model, its params in `dtype` on the mesh (by default: all devices as data).

    FileNotFoundError where there is none; ValueError names what the decoder does not have, or says that adapters do
    not belong to the model that is where theirs was.
    """
    path, devices = find(source, revision), mesh.make(config.Mesh()) if devices is None else devices
    if path.is_file():
        model, params = gguf.load(path, devices, dtype=dtype, vocab_multiple=vocab_multiple)
    elif _is_hf(path):
        model, params = hf.load(path, devices, dtype=dtype, vocab_multiple=vocab_multiple)
    else:
        return _checkpoint(path, devices, dtype)
    return Pretrained(model, params, tokens.pretrained.find(str(path)), {}, path)


def read(source: str, revision="", vocab_multiple=1):
    """(shape, tokenizer) of a model, without its params."""
    path = find(source, revision)
    if not path.is_file() and not _is_hf(path):
        about = checkpoint.about(path)
        model = lora.adapted(config.from_dict(config.Model, about["model"]), None)
        return model, tokens.from_files(about["tokenizer"], path)
    model = gguf.read_model(path) if path.is_file() else hf.read_model(path)
    return dataclasses.replace(model, vocab_multiple=vocab_multiple), tokens.pretrained.find(str(path))


def find(source: str, revision="") -> pathlib.Path:
    """The file or folder of a model: that of a run's last step, or, of a name on the hub, where it was put.

    FileNotFoundError says what was looked for.
    """
    path = pathlib.Path(source).expanduser()
    if path.is_file():
        return path.absolute()
    if path.is_dir():
        return path.absolute() if _is_hf(path) else checkpoint.find(path)
    if path.is_absolute() or source.count("/") > 1 or source.startswith("."):
        raise FileNotFoundError(f"{source}: there is no such file or folder")
    from huggingface_hub import snapshot_download

    try:
        return pathlib.Path(snapshot_download(source, revision=revision or None, allow_patterns=list(PATTERNS)))
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"{source!r} is no file and no folder, and the hub did not give it: {error}") from error


def place(source: str) -> str:
    """What to write down of a source, so that it is found from another folder: an absolute path, or a hub's name."""
    return str(pathlib.Path(source).expanduser().absolute()) if pathlib.Path(source).expanduser().exists() else source


def base(source: str, devices, **settings) -> tuple[Pretrained, dict]:
    """A model to put adapters beside, and what their checkpoint says of it, by which `load` finds it again."""
    found = load(source, devices, **settings)
    told = {"source": place(source), "revision": settings.get("revision", ""), "digest": lora.digest(found.params)}
    return found, told


def write_hf(folder, found: Pretrained, *, shard_bytes=5 * 10**9):
    """Write a folder of Hugging Face: params, config, generation settings, tokenizer, and a card with the recipe."""
    tokenizer = found.tokenizer
    if isinstance(tokenizer, tokens.CharacterTokenizer):
        tokenizer = tokens.pretrained.of_characters(tokenizer.alphabet)
    about = found.about.get("converted", found.about)
    texts = tokenizer.to_files() | {"README.md": hf.card(pathlib.Path(folder).name, about)}
    ends = {"eos_token_id": list(tokenizer.stop_ids)}
    hf.save(folder, found.model, found.params, ids=tokenizer.ids, texts=texts, generation=ends, shard_bytes=shard_bytes)


def write_checkpoint(folder, found: Pretrained):
    """Write a run's folder with one step, 0, which can be trained on from, asked and evaluated.

    ValueError where the folder exists.
    """
    folder = pathlib.Path(folder).absolute()
    if folder.exists():
        raise ValueError(f"{folder} exists; what is in it is not overwritten")
    unfinished = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    kept = {name: value for name, value in found.about.items() if name in ("digests", "step")}
    about = {
        "model": dataclasses.asdict(found.model),
        "tokenizer": found.tokenizer.to_files(),
        "converted": {"from": str(found.path), "recipe": found.about.get("recipe"), **kept},
    }
    with checkpoint.Checkpoints(unfinished) as checkpoints:
        checkpoints.save(0, found.params, None, about)
    unfinished.rename(folder)


def write_adapters(folder, source: str):
    """Write the adapters of a run as a folder that `peft` loads; ValueError where the run trained all params."""
    path = find(source)
    loaded = None if path.is_file() or _is_hf(path) else checkpoint.load(path)
    if loaded is None or loaded.model.lora is None:
        raise ValueError(f"{path} holds no adapters: only a run that trained with lora does")
    card = hf.card(pathlib.Path(folder).name, loaded.about)
    lora.save(folder, loaded.model, loaded.params, base=loaded.about["base"]["source"], card=card)


def _checkpoint(path, devices, dtype):
    loaded = checkpoint.load(path, devices)
    tokenizer = tokens.from_files(loaded.about["tokenizer"], path)
    model, params = loaded.model, loaded.params
    if model.lora is not None:
        model, params = _with_base(path, loaded, devices)
    if dtype != "float32":
        where = mesh.place(devices, params)
        params = jax.jit(functools.partial(_cast, dtype), out_shardings=where, donate_argnums=0)(params)
    return Pretrained(model, params, tokenizer, loaded.about, path)


def _with_base(path, loaded, devices):
    """(model, params) of a run that trained adapters, with these merged into the model they were trained beside."""
    about = loaded.about["base"]
    try:
        found = load(about["source"], devices, revision=about["revision"], vocab_multiple=loaded.model.vocab_multiple)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} holds adapters; the model they belong to is not there: {error}") from error
    if (digest := lora.digest(found.params)) != about["digest"]:
        raise ValueError(
            f"{path} holds adapters that were trained beside another model than {about['source']} is now "
            f"(digest {about['digest']}, found {digest})"
        )
    return lora.merge(loaded.model, found.params, loaded.params, devices)


def _cast(dtype, params):
    return jax.tree.map(lambda leaf: leaf.astype(jnp.dtype(dtype)), params)


def _is_hf(path):
    return (path / "config.json").is_file()
