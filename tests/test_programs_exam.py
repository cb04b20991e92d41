"""The exam of programs: benign and hostile ones, judged, and nothing of them left on the host."""

import json
import os
import pathlib
import shutil

import pytest

from mathjax.records import Record
from mathjax.sandbox import Limits, Sandbox
from mathjax.verify import Verifier, programs

EXAM = pathlib.Path(__file__).parent / "cases" / "programs.jsonl"
CASES = [json.loads(text) for text in EXAM.read_text().splitlines()]
LIMITS = Limits(wall_seconds=2, cpu_seconds=2, memory_bytes=2**29)


@pytest.fixture(scope="module")
def host(isolation):
    """A secret and a file that no program may see or touch, and the places where one would show that it got out."""
    sentinel = pathlib.Path("/tmp/mathjax_sentinel")
    shutil.rmtree(sentinel, ignore_errors=True)
    sentinel.mkdir()
    (sentinel / "kept.txt").write_text("kept")
    os.environ["MATHJAX_SECRET"] = "mathjax_secret_marker"
    yield sentinel
    del os.environ["MATHJAX_SECRET"]
    shutil.rmtree(sentinel, ignore_errors=True)


@pytest.fixture(scope="module")
def outcomes(host):
    """What became of each program in the sandbox, without the interpreter."""
    sources = [programs.source(case["completion"]) or "" for case in CASES]
    with Sandbox(workers=1, limits=LIMITS) as sandbox:
        return sandbox.run(sources)


@pytest.fixture(scope="module")
def verdicts(outcomes):
    """The verdicts by what became of the programs in the sandbox."""
    found = []
    for case, outcome in zip(CASES, outcomes, strict=True):
        record = Record(question="", answer=case["answer"], style="pot")
        outcome = outcome if programs.source(case["completion"]) else None
        found.append(programs.judge(record, outcome, case["completion"]))
    return found


def test_the_exam_has_its_size_and_its_share_of_hostile_programs():
    assert len(CASES) >= 60 and sum(case["hostile"] for case in CASES) >= len(CASES) / 2
    assert {case["category"] for case in CASES if case["hostile"]} >= {"time", "memory", "fs", "process", "protocol"}


def test_every_program_that_is_not_contested_is_judged_right(verdicts):
    wrong = [
        (case["id"], case.get("category"), case["correct"], verdict.why, verdict.answer)
        for case, verdict in zip(CASES, verdicts, strict=True)
        if not case.get("contested") and verdict.correct != case["correct"]
    ]
    assert wrong == []


def test_every_program_that_is_not_contested_ends_as_it_should(outcomes):
    wrong = []
    for case, outcome in zip(CASES, outcomes, strict=True):
        wanted = case["status"] if isinstance(case["status"], list) else [case["status"]]
        if not case.get("contested") and outcome.status not in wanted:
            wrong.append((case["id"], case.get("category"), wanted, outcome.status, outcome.error))
    assert wrong == []


def test_the_interpreter_changes_no_verdict(verdicts):
    chosen = [place for place, case in enumerate(CASES) if not case["hostile"]]
    cases = [{"answer": CASES[place]["answer"], "completion": CASES[place]["completion"]} for place in chosen]
    with Verifier(2, limits=LIMITS) as judge:
        found = judge([case | {"style": "pot"} for case in cases])
    assert [verdict.correct for verdict in found] == [verdicts[place].correct for place in chosen]
    assert {verdict.level for verdict in found} >= {"interpreter", judge.level}


def test_nothing_of_the_host_is_printed(outcomes):
    for case, outcome in zip(CASES, outcomes, strict=True):
        for text in (*case.get("forbid", ()), "mathjax_secret_marker"):
            assert text not in outcome.printed, case["id"]


def test_nothing_of_a_program_is_left_on_the_host(host, verdicts, outcomes):
    assert (host / "kept.txt").read_text() == "kept" and len(list(host.iterdir())) == 1
    for folder in ("/tmp", "/dev/shm", "/var/tmp"):
        assert not list(pathlib.Path(folder).glob("mathjax_injected_*"))
