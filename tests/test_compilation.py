"""Compiled programs are found again by the next process, where the CPU takes them back."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, jax, jax.numpy as jnp
from mathjax import compilation
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event == compilation.HIT))
compilation.keep()
before = sum(hits)
compilation.WORTH = 0.0
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
print(json.dumps([float(jax.jit(lambda x: jnp.sin(x).sum())(jnp.arange(4.0))), jax.config.jax_compilation_cache_dir,
                  sum(hits) - before]))
"""


def run(folder, **environment):
    cleared = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=cleared | {"XDG_CACHE_HOME": str(folder), "JAX_PLATFORMS": "cpu"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return *json.loads(done.stdout), done.stderr


def test_the_second_process_uses_what_the_first_one_compiled(tmp_path):
    value, folder, hits, _ = run(tmp_path)
    if folder is None:
        pytest.skip("this CPU refuses what it stored")
    assert folder.startswith(str(tmp_path)) and hits == 0
    assert os.stat(folder).st_mode & 0o077 == 0
    again, same, hits, said = run(tmp_path)
    assert (again, same) == (value, folder) and hits > 0 and "cpu_aot_loader" not in said


def test_a_cpu_that_refused_its_programs_is_not_asked_again(tmp_path):
    run(tmp_path)
    [answer] = (tmp_path / "mathjax" / "compiled").glob("*.answer")
    answer.write_text("refused\n")
    assert run(tmp_path)[1] is None


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"JAX_COMPILATION_CACHE_DIR": "/tmp/elsewhere"}, "/tmp/elsewhere"),
        ({"JAX_ENABLE_COMPILATION_CACHE": "0"}, None),
    ],
)
def test_what_the_user_chose_stands(tmp_path, environment, wanted):
    assert run(tmp_path, **environment)[1] == wanted
    assert not (tmp_path / "mathjax").exists()


def test_a_folder_that_cannot_be_written_keeps_nobody_from_working(tmp_path):
    (tmp_path / "mathjax").write_text("a file in the way")
    _, folder, _, said = run(tmp_path)
    assert folder is None and "compiled programs are not kept" in said
