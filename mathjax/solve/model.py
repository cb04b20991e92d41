"""A model here, opened to be asked; importing this starts JAX."""

import hashlib
import pathlib
from collections.abc import Iterable

import jax

from mathjax import config, pretrained, prompts
from mathjax.records import Record
from mathjax.sample.engine import Engine

ROUND = 64  # lengths of the cache are multiples of this, so that few are compiled
ENDS = 2**20  # bytes from both ends of a file that tell it from others


def opened(
    source: str,
    devices: jax.sharding.Mesh,
    records: Iterable[Record],
    templates: Iterable[str],
    sampling: config.Sampling,
    *,
    slots: int,
    dtype: str,
    further: int = 0,
) -> tuple[Engine, object]:
    """(an engine, its tokenizer): a model, from wherever it lies, with room for these records in these templates.

    Its params are held in `dtype` on the mesh. `further` tokens are added to the longest prompt. FileNotFoundError and
    ValueError as from `pretrained.load`.
    """
    found = pretrained.load(source, devices, dtype=dtype)
    tokenizer, templates = found.tokenizer, list(templates)
    longest = max(len(prompts.encode(template, one, tokenizer)) for one in records for template in templates)
    prompt = -(-(longest + further) // ROUND) * ROUND
    engine = Engine(
        found.model,
        found.params,
        devices,
        slots=slots,
        length=prompt + sampling.max_tokens,
        prompt=prompt,
        eos_id=tokenizer.stop_ids,
        pad_id=tokenizer.pad_id,
        dtype=dtype,
    )
    return engine, tokenizer


def fingerprint(path) -> str:
    """Names the files of a model: sha256 of their names, sizes, and the first and last mebibyte of each."""
    path, total = pathlib.Path(path), hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            size = file.stat().st_size
            total.update(f"{file.relative_to(path) if file != path else ''}\0{size}\0".encode())
            with file.open("rb") as opened:
                total.update(opened.read(ENDS))
                opened.seek(max(0, size - ENDS))
                total.update(opened.read(ENDS))
    return total.hexdigest()
