"""What all tokenizers are saved as: names of files and their texts."""

import hashlib
import json
import pathlib

from mathjax import files

FILE = "tokens.json"  # says which kind of tokenizer the files are


def write(folder, texts: dict[str, str]):
    """Write files into a folder, each whole or not at all."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        with files.whole(folder / name) as file:
            file.write(text.encode())


def digest(texts: dict[str, str]) -> str:
    """Names a tokenizer by its files: equal for two that give the same ids."""
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()
