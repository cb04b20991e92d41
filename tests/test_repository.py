"""The checkout itself: lint, pinned versions, the scripts that set it up."""

import pathlib
import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = pathlib.Path(__file__).parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
LOCKS = sorted((CHECKOUT / "requirements").glob("*.txt"))
SCRIPTS = sorted(CHECKOUT.glob("scripts/**/*.sh"))
PYTHONS = ["3.11", "3.12", "3.13"]


def pins(lock, python):
    """Name to version, as `lock` pins them for a Python on Linux; KeyError-proof for names pinned twice."""
    on_linux = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    found = {}
    for line in (CHECKOUT / "requirements" / f"{lock}.txt").read_text().splitlines():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(on_linux):
            name, [only] = canonicalize_name(requirement.name), requirement.specifier
            assert name not in found, f"{lock}.txt pins {name} twice for Python {python}"
            assert only.operator == "=="
            found[name] = only.version
    return found


def ruff(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True, cwd=CHECKOUT, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def test_ruff_finds_nothing():
    status, said = ruff("check", "--no-cache")
    assert status == 0, said


def test_the_code_is_formatted():
    status, said = ruff("format", "--check", "--no-cache")
    assert status == 0, said


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("lock", "wanted"),
    [("core", PROJECT["dependencies"]), *((name, PROJECT["optional-dependencies"][name]) for name in ("dev", "bench"))],
)
def test_a_lock_pins_what_the_project_asks_for(lock, wanted, python):
    found = pins("core", python) | pins(lock, python)
    for requirement in map(Requirement, wanted):
        if requirement.name != "mathjax":
            version = found[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{requirement} is pinned to {version}"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_index_and_no_host(lock):
    assert not re.search(r"://|^-|@", lock.read_text(), re.MULTILINE)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", ["core", "dev"])
def test_the_plain_commands_install_neither_pytorch_nor_cuda(lock, python):
    assert not [
        name for name in pins(lock, python) if name.startswith(("torch", "nvidia", "cuda", "triton", "jax-cuda"))
    ]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", ["dev", "parity", "bench"])
def test_an_extra_pins_nothing_that_the_core_pins(lock, python):
    assert not set(pins(lock, python)) & set(pins("core", python))


def test_scripts_are_valid_shell():
    assert SCRIPTS
    for script in [*SCRIPTS, CHECKOUT / ".ci" / "run"]:
        done = subprocess.run(["bash", "-n", script], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("script", "arguments"),
    [("test.sh", ["--with=nothing"]), ("quickstart.sh", ["--fast"]), ("quickstart.sh", ["a", "b"])],
)
def test_a_command_refuses_what_it_does_not_know_before_it_sets_anything_up(script, arguments):
    done = subprocess.run(
        ["bash", CHECKOUT / "scripts" / script, *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert arguments[-1] in done.stderr
    assert "setup" not in done.stderr


def test_a_python_that_is_too_old_is_refused_with_what_to_install(tmp_path):
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    (tmp_path / "scripts").symlink_to(CHECKOUT / "scripts")
    (tmp_path / "requirements").symlink_to(CHECKOUT / "requirements")
    script = tmp_path / "scripts" / "setup.sh"
    done = subprocess.run(
        ["bash", script, "core"], capture_output=True, text=True, env={"PYTHON": str(old), "PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; found Python 3.9.2" in done.stderr
