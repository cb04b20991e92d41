"""Settings: what is wrong is said with its name; what is written is read back."""

import dataclasses
import json

import pytest

from mathjax import config


def job():
    return config.Train(
        model=config.Model(layers=2, width=8, heads=2, kv_heads=1, head_dim=4, mlp_width=16),
        data=config.Data(
            sources=[config.Source(path="a.jsonl"), config.Source(path="b.jsonl", weight=0.5)], rows=4, length=8
        ),
        optimizer=config.Optimizer(peak=1e-3),
        steps=3,
    )


def test_a_recipe_is_read_back_from_its_json():
    scaled = job()
    scaled.model.rope_scaling = config.RopeScaling(kind="llama3", factor=8.0)
    for recipe in (job(), scaled):
        assert config.from_dict(config.Train, json.loads(config.to_json(recipe))) == recipe


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("steps", 0, r"^config: steps must be positive, got 0"),
        ("steps", "ten", r"^config\.steps must be int, got 'ten'"),
        ("steps", True, r"^config\.steps must be int"),
        ("dtype", "float16", r"^config: dtype must be one of float32, bfloat16; got 'float16'"),
        ("accumulate", 3, r"^config: accumulate=3 must divide data\.rows=4"),
        ("model.kv_heads", 3, r"^config\.model: heads=2 must be a multiple of kv_heads=3"),
        ("model.head_dim", 3, r"^config\.model: head_dim must be even"),
        ("optimizer.warmup", 1.5, r"^config\.optimizer: warmup must lie in \[0, 1\], got 1\.5"),
        ("optimizer.name", "sgd", r"^config\.optimizer: name must be one of adamw, muon"),
        ("mesh.fsdp", -1, r"^config\.mesh: one axis at most may be -1"),
        ("data.sources", [], r"^config\.data: sources must name at least one"),
        ("heldout", 3, r"^config\.heldout must be"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(path, value, message):
    wrong = job()
    *parents, name = path.split(".")
    holder = wrong
    for parent in parents:
        holder = getattr(holder, parent)
    setattr(holder, name, value)
    with pytest.raises(ValueError, match=message):
        config.check(wrong)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "yarn", "factor": 2.0}, "kind must be one of linear, llama3; got 'yarn'"),
        ({"kind": "linear", "factor": 0.0}, "factor must be positive"),
        ({"kind": "llama3", "factor": 8.0, "low": 4.0}, "low must be below high, got low=4.0, high=4.0"),
    ],
)
def test_a_wrong_rotary_scaling_is_named(settings, message):
    wrong = job()
    wrong.model.rope_scaling = config.RopeScaling(**settings)
    with pytest.raises(ValueError, match=rf"^config\.model\.rope_scaling: {message}"):
        config.check(wrong)


def test_tables_have_rows_for_the_next_multiple():
    model = job().model
    assert [dataclasses.replace(model, vocab_size=25, vocab_multiple=m).rows for m in (1, 5, 8, 64)] == [25, 25, 32, 64]


def test_a_wrong_value_in_a_list_is_named_with_its_place():
    wrong = job()
    wrong.data.sources[1].weight = -1.0
    with pytest.raises(ValueError, match=r"^config\.data\.sources\[1\]: weight must be positive, got -1\.0"):
        config.check(wrong)


def test_an_unknown_name_lists_the_known_ones():
    values = dataclasses.asdict(job()) | {"stepz": 3}
    with pytest.raises(ValueError, match=r"Train has no setting stepz; it has .*steps"):
        config.from_dict(config.Train, values)
