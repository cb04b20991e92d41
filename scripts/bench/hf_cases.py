"""Tiny models of each family that mathjax reads, made with transformers on PyTorch, and what they answer.

    python scripts/bench/hf_cases.py            writes tests/cases/hf/FAMILY/, anew

Each folder holds config.json, model.safetensors, and expected.safetensors: `tokens` int32 [N, T] of sequences of the
`lengths` [N], and float32 `logits` [N, T, V] of each sequence alone; what lies beyond a length is 0.
"""

import copy
import pathlib
import shutil

FOLDER = pathlib.Path(__file__).parents[2] / "tests" / "cases" / "hf"
LENGTHS = (5, 9, 12)

SMALL = dict(
    vocab_size=61,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
)
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=500_000.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
FAMILIES = {  # name: the model's class, its settings beside SMALL, the dtype of its file
    "llama2": ("Llama", dict(num_key_value_heads=4, rms_norm_eps=1e-5), "float32"),
    "llama3": ("Llama", dict(rope_parameters=LLAMA3, head_dim=16), "bfloat16"),
    "linear": ("Llama", dict(rope_parameters=dict(rope_type="linear", factor=4.0, rope_theta=1e5)), "float16"),
    "smollm2": ("Llama", dict(tie_word_embeddings=True, rope_parameters=dict(rope_theta=1e5)), "bfloat16"),
    "mistral": ("Mistral", dict(head_dim=12, sliding_window=None), "float32"),
    "qwen2": ("Qwen2", dict(rope_parameters=dict(rope_theta=1e6)), "float32"),
    "qwen2_tied": ("Qwen2", dict(tie_word_embeddings=True), "bfloat16"),
    "qwen3": ("Qwen3", dict(head_dim=16, tie_word_embeddings=True), "bfloat16"),
}


def build(family: str, seed: int = 0, **settings):
    """A random model of a family on PyTorch in float32, each array drawn so that it matters, as its file holds it."""
    import torch
    import transformers

    kind, more, dtype = FAMILIES[family]
    torch.manual_seed(seed)
    shape = getattr(transformers, f"{kind}Config")(**(SMALL | more | settings))
    model = getattr(transformers, f"{kind}ForCausalLM")(shape)
    with torch.no_grad():
        for array in model.parameters():
            drawn = torch.randn_like(array) * 0.4 if array.ndim > 1 else 1 + torch.randn_like(array) * 0.3
            array.copy_(drawn.to(getattr(torch, dtype)))
    return model.eval()


def save(family: str, model, folder):
    """Write a model in the dtype of its family; PyTorch would turn its rotary frequencies to that dtype too."""
    import torch

    copy.deepcopy(model).to(getattr(torch, FAMILIES[family][2])).save_pretrained(folder)


def sequences(vocab_size: int, seed: int = 1):
    """Token ids int64 [N, T] of N sequences of LENGTHS, 0 beyond."""
    import torch

    tokens = torch.randint(0, vocab_size, (len(LENGTHS), max(LENGTHS)), generator=torch.Generator().manual_seed(seed))
    return tokens * (torch.arange(max(LENGTHS))[None] < torch.tensor(LENGTHS)[:, None])


def write(family: str):
    """The folder of one family."""
    import torch
    from safetensors.torch import save_file

    folder = FOLDER / family
    shutil.rmtree(folder, ignore_errors=True)
    model = build(family)
    save(family, model, folder)
    tokens = sequences(model.config.vocab_size)
    logits = torch.zeros(*tokens.shape, model.config.vocab_size)
    with torch.no_grad():
        for row, length in enumerate(LENGTHS):
            logits[row, :length] = model(tokens[row : row + 1, :length]).logits[0]
    expected = {"tokens": tokens.int(), "lengths": torch.tensor(LENGTHS, dtype=torch.int32), "logits": logits}
    save_file(expected, folder / "expected.safetensors")


if __name__ == "__main__":
    for name in FAMILIES:
        write(name)
        print(name)
