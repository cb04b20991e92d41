"""Text to ids and back: MathGLM's characters, tokenizers of pretrained models, and the choice of one by a recipe."""

import json
import pathlib

from mathjax import config
from mathjax.tokens import pretrained
from mathjax.tokens.character import ALPHABET, CharacterTokenizer
from mathjax.tokens.pretrained import PretrainedTokenizer
from mathjax.tokens.saved import FILE

__all__ = ["ALPHABET", "FILE", "CharacterTokenizer", "PretrainedTokenizer", "build", "from_files", "load"]

KINDS = {"character": CharacterTokenizer, "pretrained": PretrainedTokenizer}


def build(settings: config.Tokenizer) -> CharacterTokenizer | PretrainedTokenizer:
    """The tokenizer that a recipe asks for."""
    if settings.kind == "character":
        return CharacterTokenizer()
    if not settings.source:
        raise ValueError("tokenizer.source must name a folder, a GGUF file, or a model on the hub, got ''")
    return pretrained.find(settings.source, settings.revision).with_special(settings.special)


def load(folder) -> CharacterTokenizer | PretrainedTokenizer:
    """The tokenizer saved in a folder; FileNotFoundError says what is there instead."""
    folder = pathlib.Path(folder)
    if not (folder / FILE).is_file():
        there = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else "no such folder"
        raise FileNotFoundError(f"{folder}: wanted a tokenizer's {FILE}, found {there}")
    names = [FILE, *pretrained.FILES]
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in names if (folder / name).is_file()}
    return from_files(texts, folder)


def from_files(texts: dict[str, str], where="a checkpoint") -> CharacterTokenizer | PretrainedTokenizer:
    """The tokenizer whose `to_files` gave these; `where` they were found is for the error's message."""
    try:
        kind = json.loads(texts[FILE])["kind"]
        if kind not in KINDS:
            raise ValueError(f"{where}, {FILE}: kind must be one of {', '.join(KINDS)}; got {kind!r}")
        return KINDS[kind].from_files(texts)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        shown = {name: text[:80] for name, text in texts.items()}
        raise ValueError(f"{where}: wanted {FILE} with a kind and what belongs to it, got {shown!r}") from error
