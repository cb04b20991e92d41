"""Shards over processes: each made once, whole or not at all, and told in the manifest."""

import functools
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from data_gen import fan_out
from mathjax import config

RECIPE = config.Arithmetic(parts=[config.Expressions()], train=10)
NAMES = [f"{letter}.jsonl" for letter in "abcd"]


def write(folder, name):
    """A shard of two rows, and a note that it was made."""
    (folder / name).write_text(f"{name}\n{name}\n")
    with (folder / "made").open("a") as made:
        made.write(f"{name}\n")
    return {"rows": 2, "note": name}


def write_all_but(folder, bad, error, name):
    if name == bad:
        raise error
    return write(folder, name)


def write_or_die(folder, victim, times, name):
    """Kill the own process the first `times` that the victim is made."""
    tried = folder / "tried"
    if name == victim:
        with tried.open("a") as file:
            file.write("x")
        if len(tried.read_text()) <= times:
            os.kill(os.getpid(), signal.SIGKILL)
    return write(folder, name)


def run(make, folder, recipe=RECIPE, names=NAMES, workers=2):
    make = functools.partial(make, folder)
    return fan_out.run(make, [(name, name) for name in names], folder, recipe=recipe, total=8, workers=workers)


def made(folder):
    return sorted((folder / "made").read_text().split())


def test_every_shard_is_made_and_told_in_order(tmp_path):
    manifest = run(write, tmp_path)
    assert made(tmp_path) == NAMES
    assert list(manifest["files"]) == NAMES
    assert manifest == json.loads((tmp_path / "manifest.json").read_text())
    facts = manifest["files"]["b.jsonl"]
    assert (facts["rows"], facts["bytes"], facts["note"]) == (2, 16, "b.jsonl")
    assert facts["sha256"] == hashlib.sha256((tmp_path / "b.jsonl").read_bytes()).hexdigest()
    assert manifest["recipe"]["train"] == 10


def test_only_what_is_missing_is_made_again(tmp_path):
    run(write, tmp_path, workers=1)
    (tmp_path / "b.jsonl").unlink()
    (tmp_path / "c.jsonl").write_text("torn")
    (tmp_path / "made").unlink()
    manifest = run(write, tmp_path, workers=1)
    assert made(tmp_path) == ["b.jsonl", "c.jsonl"]
    assert list(manifest["files"]) == NAMES
    (tmp_path / "made").unlink()
    run(write, tmp_path)
    assert not (tmp_path / "made").exists()


def test_a_folder_of_another_recipe_is_refused_and_left_alone(tmp_path):
    run(write, tmp_path, names=["a.jsonl"], workers=1)
    other = config.Arithmetic(parts=[config.Expressions(digits=(1, 5))], train=20)
    with pytest.raises(ValueError, match="another recipe") as caught:
        run(write, tmp_path, recipe=other, workers=1)
    assert "config.train is 10 there, 20 now" in str(caught.value)
    assert "config.parts[0].digits is [1, 3] there, [1, 5] now" in str(caught.value)
    assert "seed" not in str(caught.value)
    assert made(tmp_path) == ["a.jsonl"]


def test_what_is_no_manifest_is_an_error(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(ValueError, match=r"manifest\.json: not a manifest"):
        run(write, tmp_path)


def test_an_error_names_the_shard_and_keeps_the_others(tmp_path):
    make = functools.partial(write_all_but, bad="c.jsonl", error=ValueError("no more questions"))
    with pytest.raises(ValueError, match=r"c\.jsonl: no more questions"):
        fan_out.run(
            functools.partial(_swapped, make, tmp_path), [(n, n) for n in NAMES], tmp_path, recipe=RECIPE, total=8,
            workers=1,
        )  # fmt: skip
    assert list(json.loads((tmp_path / "manifest.json").read_text())["files"]) == ["a.jsonl", "b.jsonl"]


def _swapped(make, folder, name):
    return make(folder, name=name)


def test_a_bug_names_the_shard_too(tmp_path):
    make = functools.partial(write_all_but, bad="a.jsonl", error=KeyError("oops"))
    with pytest.raises(RuntimeError, match=r"a\.jsonl: KeyError"):
        fan_out.run(
            functools.partial(_swapped, make, tmp_path), [("a.jsonl", "a.jsonl")], tmp_path, recipe=RECIPE, total=2
        )


@pytest.mark.parametrize("times", [1, 2])
def test_a_shard_whose_process_is_killed_is_made_once_more(tmp_path, times):
    make = functools.partial(_swapped, functools.partial(write_or_die, victim="b.jsonl", times=times), tmp_path)
    go = functools.partial(fan_out.run, make, [(n, n) for n in NAMES], tmp_path, recipe=RECIPE, total=8, workers=2)
    if times == 1:
        assert list(go()["files"]) == NAMES
    else:
        with pytest.raises(ChildProcessError, match=r"killed 2 times while it made .*b\.jsonl"):
            go()


def test_processes_end_with_their_parent(tmp_path):
    program = (
        "import functools, pathlib, sys\n"
        "import test_fan_out\n"
        "if __name__ == '__main__':\n"
        "    test_fan_out.run(test_fan_out.sleep, pathlib.Path(sys.argv[1]))\n"
    )
    (tmp_path / "program.py").write_text(program)
    path = os.pathsep.join([str(pathlib.Path(__file__).parent), *sys.path])
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "program.py", tmp_path],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(lambda: len(list(tmp_path.glob("*.pid"))) == 2, 30)
    finally:
        parent.kill()
        parent.wait()
    pids = [int(file.stem) for file in tmp_path.glob("*.pid")]
    _wait(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids), 10)


def sleep(folder, name):
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(60)


def _wait(done, seconds):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
