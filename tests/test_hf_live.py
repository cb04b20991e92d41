"""Models of Hugging Face against transformers on PyTorch, side by side; skipped where PyTorch is not installed."""

import json
import pathlib
import runpy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs PyTorch: bash scripts/test.sh --with=parity")
import transformers  # noqa: E402

from mathjax import config, mesh  # noqa: E402
from mathjax.model import decoder, hf, hf_config  # noqa: E402
from mathjax.model.attention import EMPTY  # noqa: E402
from mathjax.sample.engine import Engine, Request  # noqa: E402
from mathjax.tokens import PretrainedTokenizer  # noqa: E402

BENCH = runpy.run_path(str(pathlib.Path(__file__).parents[1] / "scripts" / "bench" / "hf_cases.py"))
LENGTHS = BENCH["LENGTHS"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(params=BENCH["FAMILIES"], scope="module")
def pair(request, tmp_path_factory):
    """A random model on PyTorch, and the folder it was saved in."""
    model = BENCH["build"](request.param, seed=7)
    folder = tmp_path_factory.mktemp("models") / request.param
    BENCH["save"](request.param, model, folder)
    return model, folder


def rows(left):
    """Tokens of BENCH's sequences with 3 more places, and a mask of those that are not padding: [N, T]."""
    total = max(LENGTHS) + 3
    spans = [slice(total - n, None) if left else slice(n) for n in LENGTHS]
    tokens, mask = np.full((len(LENGTHS), total), 5), np.zeros((len(LENGTHS), total), np.int64)
    for row, (span, ids) in enumerate(zip(spans, BENCH["sequences"](61), strict=True)):
        tokens[row, span], mask[row, span] = ids[: LENGTHS[row]], 1
    return tokens, mask


@pytest.mark.parametrize("left", [False, True])
def test_logits_of_padded_rows_are_those_of_pytorch(pair, left):
    theirs, folder = pair
    model, params = hf.load(folder)
    tokens, mask = rows(left)
    with torch.no_grad():
        wanted = theirs(torch.tensor(tokens), attention_mask=torch.tensor(mask)).logits.numpy()
    positions = jnp.asarray(np.where(mask, np.cumsum(mask, axis=1) - 1, EMPTY), jnp.int32)

    @jax.jit
    def logits(params, *rows):
        return decoder.logits(model, params, decoder.apply(model, params, *rows))

    found = logits(params, jnp.asarray(tokens, jnp.int32), positions, jnp.asarray(mask, jnp.int32))
    np.testing.assert_allclose(np.asarray(found)[mask == 1], wanted[mask == 1], atol=1e-4, rtol=1e-5)


def test_what_we_write_generates_the_same_greedy_text_in_transformers(pair, tmp_path):
    model, params = hf.load(pair[1])
    hf.save(tmp_path / "out", model, params, ids={"eos_token_id": 60, "pad_token_id": 0}, texts={}, shard_bytes=9000)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    prompt = [3, 1, 4, 1, 5]
    wanted = theirs.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=24)[0, len(prompt) :].tolist()
    engine = Engine(model, params, mesh.make(config.Mesh(), jax.devices()[:1]), slots=1, length=32, eos_id=60)
    [found] = engine.generate([Request(0, prompt)], config.Sampling(max_tokens=24))
    assert [*found.tokens] == [token for token in wanted if token != 60]


def test_a_folder_that_we_write_is_all_that_transformers_needs(pair, tmp_path):
    """Config, generation settings, tokenizer and chat template; the prompt goes in and the answer comes out as text."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({"<end>": 0, "<pad>": 60} | {str(i): i for i in range(1, 60)}, unk_token="1"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(["<end>", "<pad>"])
    settings = json.dumps({"eos_token": "<end>", "pad_token": "<pad>", "tokenizer_class": "PreTrainedTokenizerFast"})
    tokenizer = PretrainedTokenizer(made.to_str(), settings, "{{ messages[0]['content'] }} 59")
    model, params = hf.load(pair[1])
    card = hf.card("Tiny", {"recipe": {"steps": 3}, "digests": {"train.jsonl": "00"}})
    generation = {"max_new_tokens": 12, "eos_token_id": list(tokenizer.stop_ids)}
    texts = tokenizer.to_files() | {"README.md": card}
    hf.save(tmp_path / "out", model, params, ids=tokenizer.ids, texts=texts, generation=generation)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    other = transformers.PreTrainedTokenizerFast.from_pretrained(tmp_path / "out")
    messages = [{"role": "user", "content": "3 1 4"}]
    prompt = other.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    assert prompt["input_ids"][0].tolist() == tokenizer.encode(tokenizer.chat(messages)) == [3, 1, 4, 59]
    found = theirs.generate(**prompt, do_sample=False)[0, 4:]
    engine = Engine(model, params, slots=1, length=32, eos_id=tokenizer.stop_ids)
    [ours] = engine.generate([Request(0, [3, 1, 4, 59])], config.Sampling(max_tokens=12))
    assert other.decode(found, skip_special_tokens=True) == tokenizer.decode(ours.tokens)
    assert '"steps": 3' in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("kind", ["Llama", "Mistral", "Qwen2", "Qwen3"])
def test_settings_that_are_left_out_mean_what_they_mean_in_transformers(kind):
    shape = {"vocab_size": 61, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 32}
    shape |= {"intermediate_size": 24, "max_position_embeddings": 4096}
    full = getattr(transformers, f"{kind}Config")(**shape).to_dict()
    name = f"{kind}ForCausalLM"
    assert hf_config.read({"architectures": [name]} | shape) == hf_config.read(full | {"architectures": [name]})
