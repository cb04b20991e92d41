"""GGUF files written here: numbers of every type, rows of rotary pairs, metadata, tokenizers; what is refused."""

import json

import jax
import numpy as np
import pytest

gguf_package = pytest.importorskip("gguf", reason='needs gguf: pip install "mathjax[gguf]"')

from mathjax import config, mesh, tokens  # noqa: E402
from mathjax.model import gguf, stream  # noqa: E402

TYPES = gguf_package.GGMLQuantizationType
SHAPE = config.Model(
    vocab_size=48,
    layers=2,
    width=256,
    heads=4,
    kv_heads=2,
    head_dim=64,
    mlp_width=256,
    context=128,
    tied_embeddings=False,
)


def half(block, at):
    return float(np.frombuffer(bytes(block[at : at + 2]), np.float16)[0])


def nibbles(block, at):
    return [byte & 15 for byte in block[at : at + 16]] + [byte >> 4 for byte in block[at : at + 16]]


def fifths(block, at):
    """32 numbers of five bits, whose highest lie in the four bytes before the others."""
    high = int.from_bytes(bytes(block[at : at + 4]), "little")
    return [low | (high >> i & 1) << 4 for i, low in enumerate(nibbles(block, at + 4))]


def scales(block):
    """Eight scales and eight least values of six bits each, from 12 bytes (Q4_K, Q5_K)."""
    s = block[4:16]
    first = [(s[j] & 63, s[j + 4] & 63) for j in range(4)]
    return first + [(s[j + 4] & 15 | s[j - 4] >> 6 << 4, s[j + 4] >> 4 | s[j] >> 6 << 4) for j in range(4, 8)]


def k_blocks(block, low, high):
    """256 numbers of eight parts with a scale and a least value each; `high(part, i)` gives the fifth bit."""
    d, least, parts = half(block, 0), half(block, 2), scales(block)
    found = []
    for part, (scale, minimum) in enumerate(parts):
        for i in range(32):
            byte = block[low + 32 * (part // 2) + i]
            q = (byte >> 4 if part % 2 else byte & 15) | high(part, i) << 4
            found.append(d * scale * q - least * minimum)
    return found


def sixths(block):
    d = half(block, 208)
    found = np.zeros(256)
    for n in range(2):
        for i in range(32):
            for part in range(4):
                byte = block[64 * n + 32 * (part % 2) + i]
                q = (byte >> 4 if part > 1 else byte & 15) | (block[128 + 32 * n + i] >> 2 * part & 3) << 4
                scale = np.int8(np.uint8(block[192 + 8 * n + i // 16 + 2 * part]))
                found[128 * n + 32 * part + i] = d * int(scale) * (q - 32)
    return found


SLOW = {  # the numbers of a block of bytes, one by one, as the formats are defined
    "Q8_0": lambda b: [half(b, 0) * int(np.int8(np.uint8(x))) for x in b[2:]],
    "Q4_0": lambda b: [half(b, 0) * (q - 8) for q in nibbles(b, 2)],
    "Q4_1": lambda b: [half(b, 0) * q + half(b, 2) for q in nibbles(b, 4)],
    "Q5_0": lambda b: [half(b, 0) * (q - 16) for q in fifths(b, 2)],
    "Q5_1": lambda b: [half(b, 0) * q + half(b, 2) for q in fifths(b, 4)],
    "Q4_K": lambda b: k_blocks(b, 16, lambda part, i: 0),
    "Q5_K": lambda b: k_blocks(b, 48, lambda part, i: b[16 + i] >> part & 1),
    "Q6_K": sixths,
    "F32": lambda b: np.frombuffer(bytes(b), np.float32),
    "F16": lambda b: np.frombuffer(bytes(b), np.float16),
    "BF16": lambda b: (np.frombuffer(bytes(b), np.uint16).astype(np.uint32) << 16).view(np.float32),
}
HALVES = {"Q4_1": (0, 2), "Q5_1": (0, 2), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}  # where float16 numbers lie


def drawn(kind, rows, columns, draw):
    """Random bytes of rows of numbers of a type: uint8 [rows, bytes]."""
    if kind in ("F32", "F16", "BF16"):
        floats = draw.standard_normal((rows, columns)).astype(np.float32)
        bits = {"F32": floats, "F16": floats.astype(np.float16), "BF16": (floats.view(np.uint32) >> 16).astype("u2")}
        return bits[kind].view(np.uint8)
    numbers, size = gguf_package.GGML_QUANT_SIZES[TYPES[kind]]
    blocks = draw.integers(0, 256, (rows, columns // numbers, size), np.uint8)
    for at in HALVES.get(kind, (0,)):
        halves = draw.uniform(0.01, 1, blocks.shape[:2]).astype(np.float16)
        blocks[..., at : at + 2] = halves[..., None].view(np.uint8)
    return blocks.reshape(rows, -1)


def slow(kind, raw):
    numbers, size = gguf_package.GGML_QUANT_SIZES[TYPES[kind]]
    blocks = raw.reshape(len(raw), -1, size) if numbers > 1 else raw.reshape(len(raw), 1, -1)
    return np.array([[x for block in row.tolist() for x in SLOW[kind](block)] for row in blocks], np.float32)


def beside(raw, heads):
    """Rows as files of Llamas hold them: the two halves of a head's rows in turn."""
    return raw.reshape(heads, 2, -1, *raw.shape[1:]).swapaxes(1, 2).reshape(raw.shape)


def write(path, kind="F32", architecture="llama", model=SHAPE, settings=(), extra=(), vocabulary=None):
    """A file with random numbers of a type; returns them by name, before Llama's rows are turned."""
    draw, out, made = np.random.default_rng(0), gguf_package.GGUFWriter(path, architecture), {}
    out.add_block_count(model.layers)
    out.add_context_length(model.context)
    out.add_embedding_length(model.width)
    out.add_feed_forward_length(model.mlp_width)
    out.add_head_count(model.heads)
    out.add_head_count_kv(model.kv_heads)
    out.add_key_length(model.head_dim)
    out.add_rope_freq_base(model.rope_base)
    out.add_layer_norm_rms_eps(1e-5)
    for key, value in settings:
        (out.add_string if isinstance(value, str) else out.add_uint32)(key, value)
    for name, _, _, shape in stream.wanted(model, gguf.NAMES):
        if len(shape) == 1:
            made[name] = draw.standard_normal(shape).astype(np.float32)
            out.add_tensor(name, made[name])
            continue
        made[name] = raw = drawn(kind, *shape, draw)
        heads = {"attn_q": model.heads, "attn_k": model.kv_heads}.get(name.split(".")[-2], 0)
        raw = beside(raw, heads) if heads and architecture == "llama" else raw
        out.add_tensor(name, np.ascontiguousarray(raw), raw_dtype=TYPES[kind])
    for name, array in extra:
        out.add_tensor(name, array)
    for key, value in (vocabulary or {}).items():
        add = {str: out.add_string, bool: out.add_bool, int: out.add_uint32, list: out.add_array}[type(value)]
        add(f"tokenizer.{key}", value)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return made


@pytest.mark.parametrize("kind", gguf.TYPES)
def test_numbers_of_every_type_are_what_its_definition_says(tmp_path, kind):
    made = write(tmp_path / "model.gguf", kind)
    model, params = gguf.load(tmp_path / "model.gguf", mesh.make(config.Mesh(data=1, fsdp=4, tensor=2)))
    assert model == SHAPE
    for path in ("attention/query", "attention/key", "attention/value", "mlp/down"):
        raw = made[gguf.NAMES[f"layers/{path}/kernel"].format(1)]
        part, name = path.split("/")
        kernel = params["layers"][part][name]["kernel"][1]
        np.testing.assert_allclose(kernel, slow(kind, raw).T, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(params["head"]["table"], slow(kind, made["output.weight"]), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(params["layers"]["mlp_norm"]["scale"][0], made["blk.0.ffn_norm.weight"])


@pytest.mark.parametrize(("architecture", "features"), [("qwen2", {"qkv_bias": True}), ("qwen3", {"qk_norm": True})])
def test_rows_of_qwens_lie_as_they_are(tmp_path, architecture, features):
    wanted = config.Model(**{**vars(SHAPE), **features, "tied_embeddings": True})
    made = write(tmp_path / "model.gguf", "F16", architecture, wanted)
    model, params = gguf.load(tmp_path / "model.gguf")
    assert model == wanted
    kernel = params["layers"]["attention"]["query"]["kernel"][0]
    np.testing.assert_array_equal(kernel, slow("F16", made["blk.0.attn_q.weight"]).T)
    for path in [path for path in stream.leaves(model) if path.endswith(("bias", "_norm/scale"))]:
        *parents, name = path.split("/")
        holder = params
        for parent in parents:
            holder = holder[parent]
        np.testing.assert_array_equal(holder[name][1], made[gguf.NAMES[path].format(1)])


def factors(factor, low=1.0, high=4.0):
    """What Llama 3's rotary frequencies are divided by: of long waves `factor`, of short ones 1."""
    waves = 2 * np.pi * SHAPE.rope_base ** (np.arange(0, 64, 2) / 64)
    share = np.clip((8192 / waves - low) / (high - low), 0, 1)
    return (1 / ((1 - share) / factor + share)).astype(np.float32)


def test_the_factors_of_llama_3_are_known_again(tmp_path):
    write(tmp_path / "model.gguf", extra=[(gguf.ROPE, factors(8.0))])
    model, _ = gguf.load(tmp_path / "model.gguf")
    assert model.rope_scaling == config.RopeScaling(kind="llama3", factor=8.0, low=1.0, high=4.0, original=8192)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"architecture": "gemma"}, "the architecture 'gemma' is not supported; llama, qwen2, qwen3"),
        ({"settings": [("llama.expert_count", 8)]}, "llama.expert_count=8 is not supported"),
        ({"settings": [("llama.rope.scaling.type", "yarn")]}, "rope.scaling.type='yarn' is not supported"),
        ({"settings": [("llama.rope.dimension_count", 32)]}, "rope.dimension_count=32 is not supported beside heads"),
        (
            {"settings": [("llama.attention.sliding_window", 64)]},
            "sliding_window=64 is shorter than context_length=128",
        ),
        ({"extra": [("blk.0.attn_q.bias", np.zeros(256, np.float32))]}, "no place for: blk.0.attn_q.bias"),
        ({"extra": [(gguf.ROPE, factors(8.0, low=2.0))]}, "rope_freqs.weight holds other factors than Llama 3's"),
        ({"kind": "Q8_0", "extra": [("a", np.zeros(4, np.int8))]}, "a is of type I8, which is not supported; F32, F16"),
    ],
)
def test_what_is_not_supported_is_named(tmp_path, what, message):
    write(tmp_path / "model.gguf", **what)
    with pytest.raises(ValueError, match=message):
        gguf.load(tmp_path / "model.gguf")


WORDS = {
    "ggml.model": "gpt2",
    "ggml.pre": "smollm",
    "ggml.tokens": ["<eos>", "<user>", *"abc12 ".replace(" ", "Ġ"), "ab", "Ġab", "ĠĠ", "12"],
    "ggml.token_type": [3, 3, *[1] * 10],
    "ggml.merges": ["a b", "Ġ ab", "Ġ Ġ", "1 2"],
    "ggml.eos_token_id": 0,
    "chat_template": "<user>{{ messages[0].content }}",
}


@pytest.mark.parametrize(
    ("pre", "text", "pieces"),
    [
        ("smollm", "abc ab  1 12<user>", ["ab", "c", "Ġab", "ĠĠ", "1", "Ġ", "1", "2", "<user>"]),
        ("gpt-2", "abc ab  1 12<user>", ["ab", "c", "Ġab", "Ġ", "Ġ", "1", "Ġ", "12", "<user>"]),
        ("qwen2", "12 ab<eos>", ["1", "2", "Ġab", "<eos>"]),
        ("llama-bpe", "12 ab<eos>", ["12", "Ġab", "<eos>"]),
    ],
)
def test_a_tokenizer_cuts_text_as_its_name_says(tmp_path, pre, text, pieces):
    write(tmp_path / "model.gguf", vocabulary=WORDS | {"ggml.pre": pre})
    tokenizer = tokens.build(config.Tokenizer(kind="pretrained", source=str(tmp_path / "model.gguf")))
    assert [WORDS["ggml.tokens"][i] for i in tokenizer.encode(text)] == pieces
    assert tokenizer.decode(tokenizer.encode(text)) == text.removesuffix("<user>").removesuffix("<eos>")
    assert (tokenizer.vocab_size, tokenizer.eos_id, tokenizer.pad_id, tokenizer.start_ids) == (12, 0, 0, ())
    assert tokens.from_files(json.loads(json.dumps(tokenizer.to_files()))) == tokenizer


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ggml.model": "llama"}, "tokenizer.ggml.model='llama' is not supported; gpt2 is"),
        ({"ggml.pre": "falcon"}, "tokenizer.ggml.pre='falcon' is not supported; default, gpt-2, smollm"),
    ],
)
def test_a_tokenizer_of_another_kind_is_named(tmp_path, changed, message):
    write(tmp_path / "model.gguf", vocabulary=WORDS | changed)
    with pytest.raises(ValueError, match=message):
        tokens.build(config.Tokenizer(kind="pretrained", source=str(tmp_path / "model.gguf")))


def test_a_model_is_loaded_as_bfloat16_where_that_is_asked(tmp_path):
    write(tmp_path / "model.gguf", "Q8_0")
    _, params = gguf.load(tmp_path / "model.gguf", dtype="bfloat16")
    assert {leaf.dtype.name for leaf in jax.tree.leaves(params)} == {"bfloat16"}
