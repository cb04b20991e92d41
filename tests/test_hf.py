"""Models of Hugging Face: what they compute, what comes in and goes out, and what is refused; without PyTorch."""

import functools
import json
import pathlib
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file
from test_decoder import continued

from mathjax import config, mesh
from mathjax.model import decoder, hf, tensors
from mathjax.model.attention import EMPTY

CASES = pathlib.Path(__file__).parent / "cases" / "hf"
FAMILIES = sorted(folder.name for folder in CASES.iterdir())


@pytest.fixture(params=FAMILIES, scope="module")
def folder(request):
    return CASES / request.param


@functools.cache
def loaded(folder):
    return hf.load(folder, mesh.make(config.Mesh(), jax.devices()[:1]))


def expected(folder):
    """[(ids [T], logits [T, V])] of the sequences that transformers answered."""
    found = load_file(folder / "expected.safetensors")
    return [(found["tokens"][row, :n], found["logits"][row, :n]) for row, n in enumerate(found["lengths"])]


@functools.cache
def spread(folder):
    """The mesh of eight devices, and the model on it in the dtype of its file."""
    devices = mesh.make(config.Mesh(data=2, fsdp=2, tensor=2))
    return devices, *hf.load(folder, devices, dtype=None)


def row(parts, total, left=False):
    """Sequences in one row, padding on one side: tokens, positions, segments [total]."""
    ids = np.concatenate(parts)
    positions = np.concatenate([np.arange(len(part)) for part in parts])
    segments = np.concatenate([np.full(len(part), place + 1) for place, part in enumerate(parts)])
    pad = (total - len(ids), 0) if left else (0, total - len(ids))
    return [np.pad(x, pad, constant_values=fill) for x, fill in ((ids, 3), (positions, EMPTY), (segments, 0))]


@functools.cache
def answers(folder):
    """Logits of all sequences, [sum of lengths, V], by how they lie in rows: each alone on a side, or packed."""
    model, params = loaded(folder)
    parts = [ids for ids, _ in expected(folder)]
    total = sum(map(len, parts))
    rows = [row([part], total, left) for left in (True, False) for part in parts] + [row(parts, total)]
    tokens, positions, segments = (jnp.asarray(np.stack(x), jnp.int32) for x in zip(*rows, strict=True))

    @jax.jit
    def logits(params, *rows):
        return decoder.logits(model, params, decoder.apply(model, params, *rows))

    found, N = np.asarray(logits(params, tokens, positions, segments)), len(parts)
    return {
        "left": np.concatenate([found[i, total - len(part) :] for i, part in enumerate(parts)]),
        "right": np.concatenate([found[N + i, : len(part)] for i, part in enumerate(parts)]),
        "packed": found[-1],
    }


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("rows", ["left", "right", "packed"])
def test_logits_are_those_of_transformers(folder, rows):
    close(answers(folder)[rows], np.concatenate([wanted for _, wanted in expected(folder)]))


def test_logits_are_those_of_transformers_token_by_token(folder):
    model, params = loaded(folder)
    ids, wanted = expected(folder)[-1]
    hidden, _ = continued(model, params, jnp.asarray(ids)[None])
    close(decoder.logits(model, params, hidden)[0], wanted)


def test_params_lie_where_the_mesh_wants_them_and_are_the_same(folder):
    devices, _, params = spread(folder)
    wanted = mesh.place(devices, params)
    for leaf, where, alone in zip(*map(jax.tree.leaves, (params, wanted, loaded(folder)[1])), strict=True):
        assert leaf.sharding.is_equivalent_to(where, leaf.ndim)
        np.testing.assert_array_equal(np.asarray(leaf, np.float32), alone)


def test_out_and_in_again_is_the_same_bit_for_bit(folder, tmp_path):
    devices, model, params = spread(folder)
    hf.save(tmp_path / "out", model, params, ids={"eos_token_id": 2}, texts={}, shard_bytes=4000)
    assert len(list((tmp_path / "out").glob("model-0*.safetensors"))) > 2
    again, same = hf.load(tmp_path / "out", devices, dtype=None)
    assert again == model
    for a, b in zip(jax.tree.leaves(params), jax.tree.leaves(same), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    first, second = (tensors.find(where) for where in (folder, tmp_path / "out"))
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        rows = [x.rows(0, x.shape[0]) for x in (tensor, second[name])]
        assert rows[0].dtype == rows[1].dtype and rows[0].tobytes() == rows[1].tobytes()


def test_files_that_are_written_are_read_by_safetensors(tmp_path):
    model, params = loaded(CASES / "llama2")
    hf.save(tmp_path / "out", model, params, ids={}, texts={"README.md": "A card"})
    found = load_file(tmp_path / "out" / tensors.ONE)
    np.testing.assert_array_equal(found[hf.NAMES["embedding/table"]], params["embedding"]["table"])
    np.testing.assert_array_equal(
        found["model.layers.1.self_attn.k_proj.weight"].T, params["layers"]["attention"]["key"]["kernel"][1]
    )
    assert (tmp_path / "out" / "README.md").read_text() == "A card"


@pytest.mark.parametrize("family", ["llama2", "qwen3"])
def test_rows_for_sharding_change_no_result_and_are_not_written(family, tmp_path):
    folder = CASES / family
    devices = mesh.make(config.Mesh(data=1, fsdp=8))
    model, params = hf.load(folder, devices, vocab_multiple=8)
    table = params["embedding"]["table"]
    assert (table.shape[0], table.sharding.spec[0]) == (64, ("fsdp", "tensor"))
    ids, wanted = expected(folder)[0]
    rows = [jnp.asarray(x, jnp.int32)[None] for x in (ids, np.arange(len(ids)), np.ones(len(ids)))]
    with jax.set_mesh(devices):
        logits = jax.jit(lambda p, *x: decoder.logits(model, p, decoder.apply(model, p, *x)))(params, *rows)
    close(logits[0, :, :61], wanted)
    assert float(jax.nn.softmax(logits)[..., 61:].max()) == 0
    hf.save(tmp_path / "out", model, params, ids={}, texts={})
    assert tensors.find(tmp_path / "out")[hf.NAMES["embedding/table"]].shape == (61, model.width)


def test_what_exists_is_not_overwritten(tmp_path):
    model, params = loaded(CASES / "llama2")
    with pytest.raises(ValueError, match="exists; what is in it is not overwritten"):
        hf.save(tmp_path, model, params, ids={}, texts={})


@pytest.mark.parametrize(
    ("family", "settings", "message"),
    [
        ("llama2", {"architectures": ["GPT2LMHeadModel"]}, "the architecture GPT2LMHeadModel is not supported; Llama"),
        ("llama2", {"architectures": None, "model_type": "gemma"}, "model_type='gemma' is not supported"),
        ("llama2", {"attention_bias": True}, "attention_bias=True is not supported; wanted False"),
        ("llama2", {"mlp_bias": True}, "mlp_bias=True is not supported"),
        ("llama2", {"hidden_act": "gelu"}, "hidden_act='gelu' is not supported; wanted 'silu' or 'swish'"),
        ("llama2", {"quantization_config": {"quant_method": "awq"}}, "quantization_config=.* is not supported"),
        ("llama2", {"num_local_experts": 8}, "num_local_experts=8 is not supported"),
        ("llama2", {"rope_scaling": {"type": "yarn", "factor": 4.0}}, "the rope_type 'yarn' is not supported; default"),
        ("llama2", {"rope_scaling": {"rope_type": "llama3", "factor": 4.0}}, "lacks low_freq_factor, high_freq_factor"),
        (
            "llama2",
            {"rope_scaling": {"type": "linear", "factor": 2.0, "attention_factor": 0.5}},
            "attention_factor=0.5 of rope scaling 'linear' is not supported",
        ),
        ("llama2", {"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor=0.5"),
        ("mistral", {"sliding_window": 32}, "sliding_window=32 is shorter than max_position_embeddings=64"),
        (
            "qwen2",
            {"use_sliding_window": True, "sliding_window": 8, "layer_types": None},
            "sliding_window=8 is short",
        ),
        ("qwen2", {"layer_types": ["full_attention", "linear_attention"]}, "layer_types=.*linear_attention.* not supp"),
        ("llama2", {"hidden_size": 20}, r"has shape \(61, 16\), its config makes it \(61, 20\)"),
        ("llama2", {"num_hidden_layers": 3}, "lacks model.layers.2.input_layernorm.weight, .* and 5 more"),
        ("qwen2", {"num_hidden_layers": 1}, "has arrays that the decoder has no place for: model.layers.1"),
        ("qwen2", {"architectures": ["LlamaForCausalLM"]}, "no place for: model.layers.0.self_attn.k_proj.bias"),
        ("llama2", {"num_attention_heads": 3}, "heads=3 must be a multiple of kv_heads=4"),
        ("llama2", {"vocab_size": "many"}, r"config.json.vocab_size must be int, got 'many'"),
    ],
)
def test_what_the_decoder_does_not_have_is_named(tmp_path, family, settings, message):
    shutil.copytree(CASES / family, tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    with pytest.raises(ValueError, match=message):
        hf.load(tmp_path / "model")


def test_a_setting_that_is_not_there_is_named(tmp_path):
    shutil.copytree(CASES / "llama2", tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    with pytest.raises(ValueError, match=r"config.json lacks num_attention_heads"):
        hf.load(tmp_path / "model")


@pytest.mark.parametrize("size", [4, 400, -7])
def test_a_file_that_is_cut_off_is_refused(tmp_path, size):
    shutil.copytree(CASES / "llama2", tmp_path / "model")
    path = tmp_path / "model" / tensors.ONE
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"model\.safetensors is .*cut off"):
        hf.load(tmp_path / "model")


def test_a_folder_without_arrays_says_what_is_there(tmp_path):
    shutil.copy(CASES / "llama2" / "config.json", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"wanted model.safetensors or .*, found \['config.json'\]"):
        hf.load(tmp_path)


def test_a_shape_of_no_family_is_not_written(tmp_path):
    model = config.Model(
        vocab_size=8, layers=1, width=8, heads=2, kv_heads=1, head_dim=4, mlp_width=8, qkv_bias=True, qk_norm=True
    )
    params = jax.jit(functools.partial(decoder.init, model))(jax.random.key(0))
    with pytest.raises(ValueError, match="both qkv_bias and qk_norm"):
        hf.save(tmp_path / "out", model, params, ids={}, texts={})
