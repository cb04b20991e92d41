"""Who may know whom: the table of ARCHITECTURE.md, held to by import-linter and by what really gets imported."""

import ast
import pathlib
import subprocess
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).parents[1]
CONFIGS = sorted((CHECKOUT / "configs").glob("*.py"))
WITHOUT_JAX = ["config", "presets", "files", "records", "metrics", "expression", "prompts", "tokens", "verify"]


def imported_by(path):
    """The modules that a file imports, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_the_contracts_in_pyproject_are_kept():
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=CHECKOUT, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_words_language_and_data_making_run_without_jax():
    modules = [f"mathjax.{name}" for name in WITHOUT_JAX]
    modules += [f"data_gen.{path.stem}" for path in (CHECKOUT / "data_gen").glob("*.py") if path.stem != "__init__"]
    program = f"import sys, {', '.join(modules)}; print(sorted({{'jax', 'flax', 'optax', 'orbax'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=CHECKOUT, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_recipe_imports_only_settings_and_presets(path):
    for name in imported_by(path):
        assert name.startswith(("mathjax.config", "mathjax.presets")), name


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_recipe_says_what_it_is_and_its_command(path):
    doc = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert doc, f"{path} has no docstring"
    assert f"--config=configs/{path.name}" in doc
