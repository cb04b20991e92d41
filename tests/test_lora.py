"""Adapters: nothing at first, merged to the same model, known again by what they belong to, and taken by `peft`."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file
from test_decoder import continued

from mathjax import config, mesh
from mathjax.model import decoder, hf, lora

MODEL = config.Model(
    vocab_size=40,
    layers=2,
    width=32,
    heads=4,
    kv_heads=2,
    head_dim=8,
    mlp_width=48,
    qkv_bias=True,
    tied_embeddings=False,
    initializer_range=0.2,
)
LORA = config.Lora(rank=3, alpha=6.0, targets=["attention/(query|value|out)", "mlp/.*"])
ADAPTED = lora.adapted(MODEL, LORA)
LAYOUTS = [config.Mesh(data=8), config.Mesh(data=2, fsdp=2, tensor=2), config.Mesh(data=1, fsdp=4, tensor=2)]


def made(seed=0, *, model=ADAPTED, blank=False):
    """Params of a model with adapters, which add something unless they are blank."""
    params = jax.jit(functools.partial(decoder.init, model))(jax.random.key(seed))
    if blank:
        return params
    rest, adapters = lora.split(params)
    filled = jax.tree.map(lambda x: 0.3 * jax.random.normal(jax.random.key(x.size), x.shape), adapters)
    return lora.join(rest, filled)


def logits(model, params):
    ids = jnp.arange(24, dtype=jnp.int32).reshape(2, 12) % 40
    places = jnp.tile(jnp.arange(12, dtype=jnp.int32), (2, 1))
    answer = jax.jit(lambda p: decoder.logits(model, p, decoder.apply(model, p, ids, places, jnp.ones_like(ids))))
    return np.asarray(answer(params))


def test_fresh_adapters_change_nothing_and_filled_ones_do():
    params = made(blank=True)
    rest, _ = lora.split(params)
    np.testing.assert_array_equal(logits(ADAPTED, params), logits(MODEL, rest))
    assert np.abs(logits(ADAPTED, made()) - logits(MODEL, rest)).max() > 0.1


def test_only_targets_have_adapters_and_what_is_split_is_joined():
    params = made()
    rest, adapters = lora.split(params)
    assert {name for name in ("query", "key", "value", "out") if name in adapters["layers"]["attention"]} == {
        "query",
        "value",
        "out",
    }
    assert adapters["layers"]["mlp"]["down"]["lora_a"].shape == (2, 48, 3)
    assert adapters["layers"]["mlp"]["down"]["lora_b"].shape == (2, 3, 32)
    assert jax.tree.structure(rest) == jax.tree.structure(made(model=MODEL, blank=True))
    assert jax.tree.structure(lora.join(rest, adapters)) == jax.tree.structure(params)
    assert lora.split(rest) == (rest, {})


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_merged_model_computes_the_same(layout):
    devices = mesh.make(layout)
    wanted = logits(ADAPTED, made())
    params = made()
    placed = jax.device_put(params, mesh.place(devices, params))
    np.testing.assert_allclose(logits(ADAPTED, placed), wanted, atol=2e-5)
    model, merged = lora.merge(ADAPTED, *lora.split(placed), devices)
    assert model == MODEL and lora.split(merged)[1] == {}
    np.testing.assert_allclose(logits(model, merged), wanted, atol=2e-5)


def test_a_cache_continues_as_the_whole_is_read():
    """Adapters count in decoding too."""
    params = made()
    ids = jnp.arange(12, dtype=jnp.int32)[None] % 40
    hidden, _ = continued(ADAPTED, params, ids)
    np.testing.assert_allclose(decoder.logits(ADAPTED, params, hidden)[0], logits(ADAPTED, params)[0], atol=2e-5)


def test_params_are_known_again_however_they_lie():
    whole = made()
    name = lora.digest(whole)
    for layout in LAYOUTS:
        assert lora.digest(jax.device_put(whole, mesh.place(mesh.make(layout), whole))) == name
    assert lora.digest(jax.tree.map(lambda x: x.astype(jnp.bfloat16), whole)) == name
    assert lora.digest(lora.split(whole)[0]) == name
    other = made()
    other["norm"]["scale"] = other["norm"]["scale"].at[3].set(1.5)
    swapped = made()
    swapped["embedding"]["table"] = swapped["embedding"]["table"][::-1]
    assert len({name, lora.digest(other), lora.digest(swapped)}) == 3


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["mlp/wide"], "'mlp/wide' matches none of attention/query"),
        (["attention"], "'attention' matches none"),
        (["mlp/("], "no regular expression"),
        ([], "must name some of"),
    ],
)
def test_targets_that_reach_nothing_are_refused(targets, message):
    with pytest.raises(ValueError, match=message):
        config.check(config.Lora(targets=targets))


def test_a_folder_for_peft_has_its_names_and_shapes(tmp_path):
    _, adapters = lora.split(made())
    lora.save(tmp_path / "out", ADAPTED, adapters, base="some/model")
    settings = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert (settings["r"], settings["lora_alpha"], settings["base_model_name_or_path"]) == (3, 6.0, "some/model")
    assert settings["target_modules"] == ["q_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    found = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert len(found) == 2 * 2 * 6
    part = found["base_model.model.model.layers.1.mlp.down_proj.lora_A.weight"]
    np.testing.assert_array_equal(part, adapters["layers"]["mlp"]["down"]["lora_a"][1].T)
    with pytest.raises(ValueError, match="is not overwritten"):
        lora.save(tmp_path / "out", ADAPTED, adapters, base="some/model")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_peft_computes_the_same(tmp_path):
    torch = pytest.importorskip("torch", reason="needs PyTorch: bash scripts/test.sh --with=parity")
    peft = pytest.importorskip("peft", reason="needs peft: bash scripts/test.sh --with=parity")
    import transformers

    params = made()
    rest, adapters = lora.split(params)
    hf.save(tmp_path / "base", MODEL, rest, ids={"eos_token_id": 1}, texts={})
    lora.save(tmp_path / "adapters", ADAPTED, adapters, base=str(tmp_path / "base"))
    base = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(base, tmp_path / "adapters").eval()
    with torch.no_grad():
        found = theirs(torch.arange(24).reshape(2, 12) % 40).logits.numpy()
    np.testing.assert_allclose(found, logits(ADAPTED, params), atol=1e-4, rtol=1e-5)
