"""Training that begins with a model that is there: all its params, or adapters beside them."""

import dataclasses
import functools
import json
import shutil

import jax
import numpy as np
import pytest

from mathjax import checkpoint, config, metrics, pretrained, records
from mathjax.config import Data, Lora, Mesh, Optimizer, Pretrained, Source, Train
from mathjax.model import decoder, hf, lora
from mathjax.train import loop

LORA = Lora(rank=4, alpha=16.0)
NEW = config.Model(layers=1, width=8, heads=1, kv_heads=1, head_dim=8, mlp_width=8)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "sums.jsonl"
    pairs = np.random.default_rng(0).integers(0, 100, (300, 2)).tolist()
    made = [records.Record(question=f"{a}+{b}=", solution=str(a + b), answer=str(a + b)) for a, b in pairs]
    records.write(path, made)
    return path


@pytest.fixture(scope="module")
def base(tiny_model):
    return tiny_model


@pytest.fixture(scope="module")
def shape(base):
    return hf.read_model(base)


def job(source, corpus, **settings):
    data = Data(sources=[Source(path=str(corpus))], rows=8, length=32, objective="solution")
    known = {
        "pretrained": Pretrained(source=str(source)),
        "tokenizer": config.Tokenizer(kind="pretrained"),
        "data": data,
        "heldout": data,
        "heldout_batches": 2,
        "optimizer": Optimizer(peak=3e-3),
        "steps": 10,
        "save_every": 5,
        "log_every": 5,
        "dtype": "float32",
    }
    made = Train(**(known | settings))
    config.check(made)
    return made


def same(tree, other):
    assert jax.tree.structure(tree) == jax.tree.structure(other)
    for x, y in zip(jax.tree.leaves(tree), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(x, y)


def heldout(workdir):
    return {row["step"]: row["heldout_loss"] for row in metrics.read(workdir)}


@pytest.fixture(scope="module")
def tuned(base, corpus, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("runs") / "tuned"
    loop.run(job(base, corpus), workdir)
    return workdir


@pytest.fixture(scope="module")
def adapted(base, corpus, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("runs") / "adapted"
    loop.run(job(base, corpus, lora=LORA), workdir)
    return workdir


def test_it_begins_where_the_model_is_and_says_how_good_that_was(base, shape, tuned, adapted):
    losses = heldout(tuned)
    assert losses[0] > losses[5] > losses[10]
    assert heldout(adapted)[0] == pytest.approx(losses[0], abs=1e-6)
    loaded = pretrained.load(str(tuned))
    assert loaded.model == shape and loaded.tokenizer == pretrained.load(str(base)).tokenizer


def test_a_run_goes_on_from_another(tuned, corpus, tmp_path):
    loop.run(job(tuned, corpus, steps=5), tmp_path / "run")
    assert heldout(tmp_path / "run")[0] == pytest.approx(heldout(tuned)[10], abs=1e-6)


def test_adapters_alone_are_trained_and_saved(base, adapted):
    saved = checkpoint.load(adapted)
    assert saved.model.lora == LORA and lora.split(saved.params)[0] == {}
    begun = pretrained.load(str(base))
    assert saved.about["base"] == {"source": str(base), "revision": "", "digest": lora.digest(begun.params)}
    losses = heldout(adapted)
    assert losses[0] > losses[5] > losses[10]


def test_a_run_of_adapters_is_loaded_merged(base, shape, adapted):
    begun, found = pretrained.load(str(base)), pretrained.load(str(adapted))
    assert found.model == shape and found.about["step"] == 10
    np.testing.assert_array_equal(found.params["embedding"]["table"], begun.params["embedding"]["table"])
    saved = checkpoint.load(adapted)
    part = jax.tree.map(lambda x: np.asarray(x[1], np.float64), saved.params["layers"]["mlp"]["up"])
    change = found.params["layers"]["mlp"]["up"]["kernel"][1] - begun.params["layers"]["mlp"]["up"]["kernel"][1]
    np.testing.assert_allclose(change, 4.0 * part["lora_a"] @ part["lora_b"], atol=1e-6)


@pytest.mark.parametrize("adapters", [None, LORA])
def test_a_run_that_was_stopped_ends_the_same(base, corpus, tuned, adapted, tmp_path, adapters):
    """Bit for bit, from its checkpoint in the middle."""
    whole = tuned if adapters is None else adapted
    shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / checkpoint.FOLDER / "10")
    loop.run(job(base, corpus, lora=adapters), tmp_path / "run")
    same(checkpoint.load(tmp_path / "run").params, checkpoint.load(whole).params)
    assert heldout(tmp_path / "run") == heldout(whole)


@pytest.mark.parametrize("layout", [Mesh(data=8), Mesh(data=2, fsdp=2, tensor=2)], ids=str)
def test_adapters_learn_the_same_on_any_mesh(base, corpus, adapted, tmp_path, layout):
    loop.run(job(base, corpus, lora=LORA, mesh=layout), tmp_path / "run")
    found, wanted = heldout(tmp_path / "run"), heldout(adapted)
    assert found == pytest.approx(wanted, abs=2e-5)


def test_frozen_params_may_be_bfloat16(base, corpus, tmp_path):
    begin = Pretrained(source=str(base), dtype="bfloat16")
    loop.run(job(base, corpus, lora=LORA, pretrained=begin, dtype="bfloat16"), tmp_path / "run")
    losses = heldout(tmp_path / "run")
    assert losses[0] > losses[10]
    assert pretrained.load(str(tmp_path / "run"), dtype="bfloat16").params["norm"]["scale"].dtype == "bfloat16"


def test_adapters_say_when_their_model_is_gone_or_another(base, shape, corpus, tmp_path):
    shutil.copytree(base, tmp_path / "base")
    loop.run(job(tmp_path / "base", corpus, lora=LORA, steps=5), tmp_path / "run")
    params = jax.jit(functools.partial(decoder.init, shape))(jax.random.key(1))
    shutil.rmtree(tmp_path / "base")
    with pytest.raises(FileNotFoundError, match="holds adapters; the model they belong to is not there"):
        pretrained.load(str(tmp_path / "run"))
    texts = {name: (base / name).read_text() for name in ("tokenizer.json", "tokenizer_config.json")}
    hf.save(tmp_path / "base", shape, params, ids={"eos_token_id": 0}, texts=texts)
    with pytest.raises(ValueError, match="trained beside another model"):
        pretrained.load(str(tmp_path / "run"))
    with pytest.raises(ValueError, match="is another model than the adapters in"):
        loop.run(job(tmp_path / "base", corpus, lora=LORA, steps=5), tmp_path / "run")


def test_new_tokens_begin_as_the_mean(base, shape, corpus, tmp_path):
    tokenizer = config.Tokenizer(kind="pretrained", special=[f"<{i}>" for i in range(10)])
    loop.run(job(base, corpus, tokenizer=tokenizer, steps=1, optimizer=Optimizer(peak=1e-12)), tmp_path / "run")
    found, begun = pretrained.load(str(tmp_path / "run")), pretrained.load(str(base))
    table, before = found.params["embedding"]["table"], begun.params["embedding"]["table"]
    assert found.model == dataclasses.replace(shape, vocab_size=267) and found.tokenizer.vocab_size == 267
    np.testing.assert_allclose(table[:257], before[:257], atol=1e-9)
    np.testing.assert_allclose(table[257:], np.broadcast_to(before[:257].mean(axis=0), (10, 32)), atol=1e-6)


def test_a_tokenizer_larger_than_the_model_is_refused(base, corpus, tmp_path):
    shutil.copytree(base, tmp_path / "small")
    settings = json.loads((base / "config.json").read_text())
    (tmp_path / "small" / "config.json").write_text(json.dumps(settings | {"vocab_size": 200}))
    with pytest.raises(ValueError, match=r"257 tokens, the model of .*small 200"):
        loop.run(job(tmp_path / "small", corpus), tmp_path / "run")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": NEW}, "one of model and pretrained"),
        ({"pretrained": None}, "one of model and pretrained"),
        ({"pretrained": None, "model": NEW, "lora": LORA, "tokenizer": config.Tokenizer()}, "lora needs"),
        ({"pretrained": Pretrained(source="x", dtype="bfloat16")}, "must be float32 where all params are trained"),
        ({"tokenizer": config.Tokenizer()}, "kind must be 'pretrained' beside a pretrained"),
        ({"pretrained": None, "model": NEW}, "must name one beside a new model"),
        ({"lora": LORA, "tokenizer": config.Tokenizer(kind="pretrained", special=["<x>"])}, "would not train"),
        ({"pretrained": Pretrained(source="")}, "source must name"),
    ],
)
def test_recipes_that_do_not_fit_together_are_refused(corpus, settings, message):
    with pytest.raises(ValueError, match=message):
        job("somewhere", corpus, **settings)


def test_what_is_nowhere_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for source, message in ((str(tmp_path / "none"), "no such file or folder"), ("some/model", "the hub did not give")):
        with pytest.raises(FileNotFoundError, match=message):
            pretrained.load(source)
    with pytest.raises(FileNotFoundError, match="wanted a checkpoint or a run"):
        pretrained.load(str(tmp_path))
