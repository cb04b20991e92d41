"""What every test is given: strict JAX with eight simulated devices, and the public data where there is some."""

import os
import pathlib

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # what is compiled here runs once or twice

import jax
import pytest

from mathjax.sandbox import Sandbox

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
