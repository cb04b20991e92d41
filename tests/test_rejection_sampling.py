"""Sampling for RFT: the rule of adaptive sampling, its rounds, and an engine on each host of a Ray cluster."""

import dataclasses
import itertools
import json
import os
import pathlib
import subprocess
import sys

import pytest

from data_gen.rejection import adaptive, candidates, job, paths
from mathjax import config, records, solve
from mathjax.config import Adaptive, Rejection, Samples, Sampling
from mathjax.records import Record


@pytest.fixture
def questions(tmp_path):
    """Questions whose answer an untrained model finds now and then: it is right whatever it writes, or never."""
    rows = [
        Record(question=f"{i}+1=", answer=str(i + 1), solution=f"<<{i}+1={i + 1}>>\n#### {i + 1}") for i in range(9)
    ]
    records.write(tmp_path / "q.jsonl", rows)
    return str(tmp_path / "q.jsonl")


def recipe(questions, model, **settings):
    sampling = Sampling(temperature=1.5, samples=settings.pop("samples", 6), max_tokens=12)
    parts = [Samples(name="tiny", model=str(model))]
    given = {"template": "plain", "shards": 3, "slots": 8, "filter": "verdict", "key": "program"}
    return Rejection(questions=questions, samples=parts, sampling=sampling, **given | settings)


# The rule.


@pytest.mark.parametrize(
    ("keys", "settings", "wanted"),
    [
        ("", {}, 2),  # the first round
        ("ab", {}, 4),
        ("abab", {}, 6),  # one round brought nothing
        ("ababab", {}, 6),  # two did: saturated
        ("ababac", {}, 8),
        ("ababababab", {"patience": 1}, 4),
        ("....", {}, 6),  # not solved is not saturated
        ("." * 12, {}, 12),  # but k is the end,
        ("." * 12, {"most": 16}, 14),  # if no more is spent on what is not solved
        ("." * 16, {"most": 16}, 16),
        ("." * 13 + "a", {"most": 16}, 14),
        ("a.b.c.d.e.f.", {}, 12),
    ],
)
def test_the_rule_goes_on_while_there_is_something_new_to_find(keys, settings, wanted):
    rule = Adaptive(**{"round": 2, "patience": 2} | settings)
    assert adaptive.wanted(rule, [None if key == "." else key for key in keys], 12) == wanted


def test_what_the_rule_takes_depends_on_no_sample_behind_it():
    rule = Adaptive(round=2, patience=2, most=8)
    for keys in itertools.product([None, "a", "b"], repeat=8):
        taken = adaptive.wanted(rule, keys, 6)
        assert taken <= 8 and adaptive.wanted(rule, keys[:taken], 6) == taken


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"round": 4}, r"sampling\.samples=6 must be a multiple of adaptive\.round=4"),
        ({"round": 3, "most": 8}, r"adaptive\.most=8 must be a multiple of adaptive\.round=3"),
        ({"most": 8}, "round must be positive"),
        ({"round": 2, "patience": 0}, "patience must be positive"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        config.check(recipe("q", "m", adaptive=Adaptive(**settings)))


# Its rounds.


def test_over_recorded_samples_it_is_told_what_the_rule_saves(questions, tmp_path):
    plain = recipe(questions, "")
    every = [
        {"index": i, "sample": sample, "question": f"{i}+1=", "completion": "x", "verdict": {}}
        for i in range(9)
        for sample in range(6)
    ]
    rule = Adaptive(round=2, patience=1)
    for row in every:
        row["verdict"]["correct"] = row["index"] % 3 == 0 or (row["index"] % 3 == 1 and row["sample"] == 1)
        row["completion"] = "abcdef"[row["sample"]] if row["index"] == 0 else "x"
    written(tmp_path / "recorded.jsonl", every)
    parts = [Samples(name="tiny", path=str(tmp_path / "recorded.jsonl"))]
    told = job.run(dataclasses.replace(plain, samples=parts, adaptive=rule), tmp_path / "replayed", workers=1)
    model = told["models"]["tiny"]
    # Question 0 has a new path in each sample; 3 and 6 are saturated after 4; 1, 4, 7 too; 2, 5, 8 are never solved.
    assert model["samples"] == 6 + 2 * 4 + 3 * 4 + 3 * 6
    assert model["adaptive"] == {
        "paths": 6 + 2 + 3,
        "plain_paths": 11,
        "plain_k": 6,
        "saved": pytest.approx(1 - 44 / 54),
    }
    again = job.run(dataclasses.replace(plain, samples=parts), tmp_path / "whole", workers=1)
    assert told["rows"] == again["rows"] and again["models"]["tiny"]["adaptive"] is None


def test_rounds_ask_what_the_rule_wants_and_go_on_where_they_were(questions, tiny_model, tmp_path):
    job.run(recipe(questions, tiny_model, samples=8), tmp_path / "plain", workers=1)
    every = {(row["index"], row["sample"]): row for row in rows_of(tmp_path / "plain" / "samples" / "tiny.jsonl")}
    # An untrained model is right where the answer is what it says: in the second of a question's samples, or the fifth.
    answers = [every[i, 1 if i % 2 else 4]["verdict"]["answer"] for i in range(9)]
    asked = [dataclasses.replace(record, answer=answers[i] or "no") for i, record in enumerate(records.read(questions))]
    records.write(tmp_path / "answered.jsonl", asked)
    made = recipe(str(tmp_path / "answered.jsonl"), tiny_model, adaptive=Adaptive(round=2, patience=1, most=8))
    job.run(made, tmp_path / "whole", workers=1)
    found = rows_of(tmp_path / "whole" / "samples" / "tiny.jsonl")
    assert [row["completion"] for row in found] == [every[row["index"], row["sample"]]["completion"] for row in found]
    counts = set()
    for index, rows in itertools.groupby(found, key=lambda row: row["index"]):
        rows = list(rows)
        counts.add(len(rows))
        keys = [paths.by_program(row["completion"].strip()) if row["verdict"]["correct"] else None for row in rows]
        assert [row["sample"] for row in rows] == list(range(adaptive.wanted(made.adaptive, keys, 6))), index
    assert len(counts) > 1, "all questions were asked the same number of times"
    rounds = sorted((tmp_path / "whole" / "samples" / "tiny").glob("*.jsonl"))
    cut = tmp_path / "cut" / "samples" / "tiny"
    cut.mkdir(parents=True)
    for name in (rounds[0].name, rounds[0].with_suffix(".json").name):
        (cut / name).write_bytes((rounds[0].parent / name).read_bytes())
    lines = rounds[1].read_bytes().splitlines(keepends=True)
    (cut / rounds[1].name).write_bytes(b"".join(lines[1:4]) + lines[5][:20])  # killed in the middle of a row
    about = json.loads(rounds[1].with_suffix(".json").read_text())
    (cut / rounds[1].with_suffix(".json").name).write_text(
        json.dumps({"settings": about["settings"], "complete": False})
    )
    job.run(made, tmp_path / "cut", workers=1)
    same(tmp_path / "whole", tmp_path / "cut")


def test_files_of_attempts_are_merged_only_where_they_belong_together(tmp_path):
    def part(name, indices, begin, settings=None, complete=True):
        path = tmp_path / name
        rows = [{"index": i, "sample": begin + s} for i in indices for s in range(2)]
        written(path, rows)
        cost = {"attempts": len(rows), "correct": 0, "tokens": 4, "seconds": 1.0}
        told = {"settings": settings or {"seed": 1}, "complete": complete, "cost": cost}
        path.with_suffix(".json").write_text(json.dumps(told))
        return path

    first, second = part("a.jsonl", [0, 1, 2], 0), part("b.jsonl", [0, 2], 2)
    solve.merge(tmp_path / "all.jsonl", [first, second])
    found = [(row["index"], row["sample"]) for row in rows_of(tmp_path / "all.jsonl")]
    assert found == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (2, 3)]
    about = solve.about(tmp_path / "all.jsonl")
    assert about["complete"] and about["settings"] == {"seed": 1} and about["cost"]["attempts"] == 10
    with pytest.raises(ValueError, match="only complete files"):
        solve.merge(tmp_path / "no.jsonl", [first, part("c.jsonl", [3], 0, complete=False)])
    with pytest.raises(ValueError, match="seed is 1 there, 2 now"):
        solve.merge(tmp_path / "no.jsonl", [first, part("d.jsonl", [3], 0, settings={"seed": 2})])
    assert not (tmp_path / "no.jsonl").exists()
    with pytest.raises(ValueError, match=r"b\.jsonl, line 2: found a sample|an attempt at record 2 is there"):
        list(solve.stored(second, {"seed": 1}, [None], 2, None, numbers=[0], begin=2))


def test_uneven_attempts_are_found_by_the_number_of_their_question(tmp_path):
    counts = [3, 0, 1, 5, 0]
    rows = [
        {"index": i, "sample": s, "question": f"q{i}", "completion": f"{i}.{s}", "verdict": {"correct": True}}
        for i, count in enumerate(counts)
        for s in range(count)
    ]
    written(tmp_path / "a.jsonl", rows)
    found = candidates.read(str(tmp_path / "a.jsonl"), 5, even=False)
    for i, count in enumerate(counts):
        assert [one.text for one in found.at(i, f"q{i}", 4)] == [f"{i}.{s}" for s in range(min(count, 4))]


# On a cluster.

PROGRAM = """
import json, os, pathlib, sys, threading, time
from ray.cluster_utils import Cluster
from data_gen.rejection import job
from mathjax import config

made, workdir = config.from_dict(config.Rejection, json.loads(sys.argv[1])), pathlib.Path(sys.argv[2])
cluster = Cluster()
cluster.add_node(num_cpus=1)
victim = cluster.add_node(num_cpus=1)
os.environ["RAY_ADDRESS"] = cluster.address
pieces = workdir / "samples" / "tiny"

def busy():
    return [path for path in pieces.glob("*.jsonl") if path.stat().st_size]

def kill():
    while len(busy()) < 3:
        time.sleep(0.005)
    cluster.remove_node(victim, allow_graceful=False)
    done = [path for path in pieces.glob("*.json") if json.loads(path.read_text())["complete"]]
    print("killed with", len(done), "of", made.shards, "done", flush=True)

killer = threading.Thread(target=kill, daemon=True)
killer.start()
job.run(made, workdir, workers=1)
killer.join()
cluster.shutdown()
"""


def test_a_cluster_samples_what_one_machine_samples_though_a_node_is_lost(questions, tiny_model, tmp_path):
    pytest.importorskip("ray", reason="needs ray: bash scripts/test.sh --with=parity")
    made = recipe(questions, tiny_model, samples=12, shards=9)
    job.run(made, tmp_path / "local", workers=1)
    environment = os.environ | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    environment |= {"PYTHONPATH": str(pathlib.Path(__file__).parents[1]), "JAX_NUM_CPU_DEVICES": "8"}  # as here
    command = [sys.executable, "-c", PROGRAM, config.to_json(dataclasses.replace(made, on="ray")), tmp_path / "ray"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.partition("killed with ")[2].split()[0]) < 9, done.stdout
    same(tmp_path / "local", tmp_path / "ray")


def rows_of(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def same(one, other):
    names = ["samples/tiny.jsonl", *(path.name for path in one.glob("train-*")), job.REPORT]
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
