"""Compiled programs kept between runs, where JAX takes back what it stored."""

import contextlib
import hashlib
import os
import pathlib
import platform
import sys
import tempfile

import jax
import jax.numpy as jnp
import jaxlib
from jax.experimental.compilation_cache import compilation_cache

LARGEST = 4 << 30  # bytes of programs in a folder; those that were not used for longest make room
WORTH = 0.1  # seconds that a program takes to compile, from which on it is kept
HIT = "/jax/compilation_cache/cache_hits"


def keep():
    """Let JAX keep compiled programs in a folder of the user's, and use them again; to be called before it compiles.

    The folder is `mathjax/compiled/` in XDG_CACHE_HOME or ~/.cache, with a part for each jaxlib and kind of device: of
    CPUs for each set of instructions, because a program for one may crash another. Some CPUs refuse every program
    they stored (jax issue 38445); that is tried out once for a part, which then stays unused. What the user chose by
    JAX_COMPILATION_CACHE_DIR, or switched off by JAX_ENABLE_COMPILATION_CACHE=false, stands.
    """
    if jax.config.jax_compilation_cache_dir or not jax.config.jax_enable_compilation_cache:
        return
    root = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mathjax" / "compiled"
    folder = root / f"{jaxlib.version.__version__}-{_kind()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # programs are trusted: nobody else may put one there
        if jax.default_backend() == "cpu" and not _taken_back(folder):
            return
    except OSError as error:
        print(f"compiled programs are not kept: {error}", file=sys.stderr)
        return
    _use(folder, WORTH)


def _use(folder, least):
    jax.config.update("jax_compilation_cache_dir", None if folder is None else str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", least)
    jax.config.update("jax_compilation_cache_max_size", LARGEST)
    compilation_cache.reset_cache()


def _kind():
    """A name for what programs are compiled for."""
    if jax.default_backend() != "cpu":
        return jax.default_backend()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
        told = sorted(line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part")))
    except OSError:
        told = [platform.machine(), platform.processor()]
    return f"cpu-{hashlib.sha256(chr(10).join(told).encode()).hexdigest()[:12]}"


def _taken_back(folder):
    """Whether this CPU takes back a program that it stored, without a complaint; found out once for a folder."""
    answer = folder.parent / f"{folder.name}.answer"
    if not answer.exists():
        with tempfile.TemporaryDirectory() as scratch:
            answer.write_text("taken back\n" if _tried(scratch) else "refused\n")
    return answer.read_text() == "taken back\n"


def _tried(scratch):
    hits = []

    def heard(event, **_):
        hits.append(event == HIT)

    x = jnp.arange(8.0)
    jax.monitoring.register_event_listener(heard)
    try:
        _use(scratch, 0.0)
        with _complaints() as said:
            for _ in range(2):
                jax.jit(lambda x: jnp.tanh(x) * x)(x).block_until_ready()
                jax.clear_caches()
    finally:
        _use(None, WORTH)
        jax.monitoring.unregister_event_listener(heard)
    return any(hits) and "cpu_aot_loader" not in said[0]


@contextlib.contextmanager
def _complaints():
    """A list that holds, after the block, what was written to the error output below Python meanwhile."""
    said, before = [], os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(before, 2)
            os.close(before)
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
