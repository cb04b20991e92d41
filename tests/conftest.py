"""What every test is given: strict JAX with eight simulated devices, and the public data where there is some."""

import functools
import json
import os
import pathlib
import signal
import tempfile

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # what is compiled here runs once or twice

import jax
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from mathjax import config
from mathjax.model import decoder, hf
from mathjax.sandbox import Sandbox

KEPT = tempfile.TemporaryDirectory(prefix="mathjax-compiled-")  # by processes that tests start, and gone with the tests
os.environ["XDG_CACHE_HOME"] = KEPT.name
# In the background a shell lets Ctrl-C be ignored, and what tests start would then ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_num_cpu_devices", 8)  # read once, when JAX starts its backend


@pytest.fixture(scope="session")
def public_data() -> pathlib.Path:
    """The folder of public data sets; the test is skipped where there is none."""
    beside = pathlib.Path(__file__).parents[2] / "shared" / "data"
    folder = pathlib.Path(os.environ.get("MATHJAX_DATA", beside))
    if not (folder / "gsm8k" / "train.jsonl").is_file():
        pytest.skip("needs GSM8K: set MATHJAX_DATA")
    return folder


@pytest.fixture(scope="session")
def isolation() -> str:
    """The level at which programs are isolated here; the test is skipped on a machine that offers none."""
    try:
        with Sandbox(workers=1) as sandbox:
            return sandbox.level
    except RuntimeError as error:
        pytest.skip(f"needs a sandbox: {error}")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> pathlib.Path:
    """A folder of Hugging Face: a small decoder with random params, bytes as tokens."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    shape = {"layers": 2, "width": 32, "heads": 2, "kv_heads": 1, "head_dim": 16, "mlp_width": 48}
    model = config.Model(vocab_size=264, context=2048, initializer_range=0.1, **shape)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({"<end>": 0} | {token: i + 1 for i, token in enumerate(alphabet)}, []))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    made.add_special_tokens(["<end>"])
    texts = {"tokenizer.json": made.to_str(), "tokenizer_config.json": json.dumps({"eos_token": "<end>"})}
    params = jax.jit(functools.partial(decoder.init, model))(jax.random.key(0))
    hf.save(folder, model, params, ids={"eos_token_id": 0}, texts=texts)
    return folder
