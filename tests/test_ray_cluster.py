"""Shards on a real Ray cluster of two nodes, one of which is killed in the middle; and in shares, as a Slurm array."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import pytest

from data_gen import arithmetic, fan_out
from mathjax import config

RECIPE = config.Arithmetic(
    parts=[config.Expressions(digits=(1, 6), operations=(2, 5))], train=24_000, shards=12, heldout=100, test=100
)
PROGRAM = """
import os, pathlib, sys, threading, time
import ray
from ray.cluster_utils import Cluster
from data_gen import arithmetic
from mathjax import config

recipe, workdir = config.from_dict(config.Arithmetic, __import__("json").loads(sys.argv[1])), pathlib.Path(sys.argv[2])
cluster = Cluster()
cluster.add_node(num_cpus=1)
victim = cluster.add_node(num_cpus=1)
os.environ["RAY_ADDRESS"] = cluster.address

def kill():
    while len(list(workdir.glob("train-*"))) < 3:
        time.sleep(0.01)
    cluster.remove_node(victim, allow_graceful=False)
    print("killed with", len(list(workdir.glob("train-*"))), "files there", flush=True)

killer = threading.Thread(target=kill, daemon=True)
killer.start()
arithmetic.run(recipe, workdir)
killer.join()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    arithmetic.run(RECIPE, folder)
    return folder


def same_files(folder, other):
    names = sorted(path.name for path in folder.glob("*.jsonl"))
    assert names == sorted(path.name for path in other.glob("*.jsonl")) and len(names) == 14
    assert all((folder / name).read_bytes() == (other / name).read_bytes() for name in names)
    assert not list(other.glob(".*"))


def test_a_lost_node_costs_nothing_but_time(local, tmp_path):
    pytest.importorskip("ray", reason="needs ray: bash scripts/test.sh --with=parity")
    recipe = config.to_json(dataclasses.replace(RECIPE, on="ray"))
    command = [sys.executable, "-c", PROGRAM, recipe, tmp_path / "out"]
    environment = os.environ | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    environment["PYTHONPATH"] = str(pathlib.Path(__file__).parents[1])
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "killed with " in done.stdout, done.stderr[-3000:]
    killed = int(done.stdout.partition("killed with ")[2].split()[0])
    assert 3 <= killed < 14
    same_files(local, tmp_path / "out")
    told, wanted = (json.loads((folder / "manifest.json").read_text())["files"] for folder in (tmp_path / "out", local))
    assert {name: row["sha256"] for name, row in told.items()} == {name: row["sha256"] for name, row in wanted.items()}


def test_shares_together_are_the_whole(local, tmp_path):
    for number in (1, 0, 2):
        manifest = arithmetic.run(dataclasses.replace(RECIPE, share=f"{number}/3"), tmp_path, workers=1)
        assert len(manifest["files"]) == (5, 5, 4)[number]
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.jsonl")}
    manifest = arithmetic.run(RECIPE, tmp_path, workers=1)
    assert before == {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.jsonl")}
    assert len(manifest["files"]) == 14
    same_files(local, tmp_path)


@pytest.mark.parametrize("share", ["3/3", "1", "a/b", "-1/2"])
def test_what_is_no_share_is_said(tmp_path, share):
    with pytest.raises(ValueError, match=r"config\.share must be i/n"):
        fan_out.run(len, [], tmp_path, recipe=dataclasses.replace(RECIPE, share=share), total=0)
