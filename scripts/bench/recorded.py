"""Programs that models wrote, from the folder of public data sets."""

import ast
import json
import pathlib
from collections.abc import Iterator

from mathjax.sandbox import programs


def recorded(folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    """File and program, for every program in `outputs/` and in SVAMP's training programs."""
    for path in sorted((folder / "outputs").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for text in _texts(json.loads(line)):
                yield path.name, text
    path = folder / "sft" / "svamp_train_pot.json"
    for record in json.loads(path.read_text(encoding="utf-8")):
        yield path.name, record["answer_cot"]


def _texts(record):
    if "debug_result" in record:  # MathCoder's: each block of code by itself
        return [part["content"] for part in record["debug_result"] if part["role"] == "code"]
    if "generated" in record:  # programs of thoughts: one, or some
        return [record["generated"]] if isinstance(record["generated"], str) else record["generated"]
    if "code" in record:  # ToRA's, with fences; those of chains of thought have none
        texts = record["code"] if isinstance(record["code"], list) else ast.literal_eval(record["code"])
        return [programs.program(text) for text in texts if "```python" in text]
    return []
