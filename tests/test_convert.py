"""The door that converts, as a user meets it: forms into one another, and what it refuses."""

import json
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file

from mathjax import checkpoint, config, pretrained, records, tokens
from mathjax.config import Data, Lora, Optimizer, Pretrained, Source, Train
from mathjax.model import decoder
from mathjax.train import loop

SCRIPT = pathlib.Path(__file__).parents[1] / "scripts" / "convert.py"


def convert(source, output, *more):
    command = [sys.executable, SCRIPT, f"--source={source}", f"--output={output}", *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def logits(model, params):
    ids = jnp.arange(1, 21, dtype=jnp.int32)[None]
    return np.asarray(
        jax.jit(lambda p: decoder.logits(model, p, decoder.apply(model, p, ids, ids - 1, jnp.ones_like(ids))))(params)
    )


@pytest.fixture(scope="module")
def runs(tiny_model, tmp_path_factory):
    """A run that trained adapters beside the tiny model, and one of a new model with characters as tokens."""
    folder = tmp_path_factory.mktemp("runs")
    rows = [records.Record(question=f"{a}+{a}=", solution=str(2 * a), answer=str(2 * a)) for a in range(60)]
    records.write(folder / "sums.jsonl", rows)
    shared = {
        "data": Data(sources=[Source(path=str(folder / "sums.jsonl"))], rows=8, length=32),
        "optimizer": Optimizer(peak=1e-2),
        "steps": 2,
        "dtype": "float32",
    }
    begin = {"pretrained": Pretrained(source=str(tiny_model)), "tokenizer": config.Tokenizer(kind="pretrained")}
    loop.run(Train(**shared, **begin, lora=Lora(rank=2)), folder / "adapters")
    new = config.Model(layers=1, width=16, heads=2, kv_heads=1, head_dim=8, mlp_width=16)
    loop.run(Train(**shared, model=new), folder / "characters")
    return folder


def test_there_and_back_is_the_same_bit_by_bit(tiny_model, tmp_path):
    status, said = convert(tiny_model, tmp_path / "run", "--to=checkpoint")
    assert status == 0 and "reading params: 20/20 arrays" in said
    assert convert(tmp_path / "run", tmp_path / "hf")[0] == 0
    before, after = (load_file(folder / "model.safetensors") for folder in (tiny_model, tmp_path / "hf"))
    assert before.keys() == after.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name])
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert json.loads((tiny_model / name).read_text()) == json.loads((tmp_path / "hf" / name).read_text())


def test_adapters_are_merged_or_handed_out_alone(runs, tiny_model, tmp_path):
    assert convert(runs / "adapters", tmp_path / "merged", "--dtype=float32")[0] == 0
    wanted, found = pretrained.load(str(runs / "adapters")), pretrained.load(str(tmp_path / "merged"))
    np.testing.assert_allclose(logits(found.model, found.params), logits(wanted.model, wanted.params), atol=1e-6)
    card = (tmp_path / "merged" / "README.md").read_text()
    assert "Trained with mathjax" in card and '"rank": 2' in card and "sums.jsonl" in card
    assert convert(runs / "adapters", tmp_path / "alone", "--to=peft")[0] == 0
    settings = json.loads((tmp_path / "alone" / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == str(tiny_model)
    assert convert(runs / "adapters", tmp_path / "run", "--to=checkpoint")[0] == 0
    assert checkpoint.load(tmp_path / "run").model.lora is None


def test_a_model_of_characters_is_read_by_transformers(runs, tmp_path):
    import transformers

    status, said = convert(runs / "characters", tmp_path / "hf", "--dtype=bfloat16")
    assert status == 0, said
    theirs, ours = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf"), tokens.CharacterTokenizer()
    text = "[48/2+(3.5-1)]*6%="
    assert theirs.encode(text) == ours.encode(text) and theirs.decode(ours.encode(text)) == text
    assert theirs.eos_token_id == ours.eos_id
    found = pretrained.load(str(tmp_path / "hf"))
    assert found.tokenizer.encode(text) == ours.encode(text) and found.tokenizer.decode(ours.encode(text)) == text


def test_what_cannot_be_is_refused_before_anything_is_written(tiny_model, runs, tmp_path):
    (tmp_path / "there").mkdir()
    for source, output, more, status, message in (
        (tiny_model, tmp_path / "there", [], 2, "is not overwritten"),
        (tmp_path / "none", tmp_path / "out", [], 1, "no such file or folder"),
        (tiny_model, tmp_path / "out", ["--to=peft"], 1, "holds no adapters"),
        (runs / "characters", tmp_path / "out", ["--to=peft"], 1, "holds no adapters"),
        (SCRIPT, tmp_path / "out", [], 1, "convert.py is not read as a GGUF file"),
    ):
        found, said = convert(source, output, *more)
        assert found == status and message in said and "Traceback" not in said, said
        assert not (tmp_path / "out").exists()
