"""The exam of answers: every verdict that is not contested, and no injection executed."""

import glob
import json
import pathlib
import runpy
import time

import pytest

from mathjax.records import Record
from mathjax.verify import verify

EXAM = pathlib.Path(__file__).parent / "cases" / "answers.jsonl"
CASES = [json.loads(text) for text in EXAM.read_text().splitlines()]


def judged(case):
    options = tuple(case["options"]) if case.get("options") else None
    record = Record(question="", answer=case["gold"], style=case["style"], options=options)
    return verify(record, case["completion"])


@pytest.fixture(scope="module")
def verdicts():
    for path in glob.glob("/tmp/mathjax_injected_*"):
        pathlib.Path(path).unlink()
    return [judged(case) for case in CASES]


def test_the_exam_has_its_size_and_its_share_of_wrong_answers():
    assert len(CASES) >= 400 and len({case["id"] for case in CASES}) == len(CASES)
    assert 0.35 < sum(not case["correct"] for case in CASES) / len(CASES) < 0.6


def test_every_verdict_of_the_exam_that_is_not_contested_is_right(verdicts):
    wrong = [
        (case["id"], case["gold"][:60], case["completion"][-80:], verdict.why)
        for case, verdict in zip(CASES, verdicts, strict=True)
        if not case["contested"] and verdict.correct != case["correct"]
    ]
    assert wrong == []


def test_most_contested_verdicts_of_the_exam_agree_too(verdicts):
    contested = [(case, verdict) for case, verdict in zip(CASES, verdicts, strict=True) if case["contested"]]
    agree = sum(case["correct"] == verdict.correct for case, verdict in contested)
    assert agree / len(contested) > 0.65


def test_no_injection_of_the_exam_is_executed(verdicts):
    injected = [verdict for case, verdict in zip(CASES, verdicts, strict=True) if "injection" in case["tags"]]
    assert len(injected) >= 15
    assert glob.glob("/tmp/mathjax_injected_*") == []


def test_no_case_of_the_exam_takes_longer_than_a_second():
    slow = []
    for case in CASES:
        begun = time.thread_time()
        judged(case)
        if time.thread_time() - begun > 1:
            slow.append(case["id"])
    assert slow == []


def test_verdicts_do_not_depend_on_what_was_judged_before(verdicts):
    again = {case["id"]: judged(case) for case in reversed(CASES)}
    assert [again[case["id"]] for case in CASES] == verdicts


def test_the_published_sample_agrees_on_all_that_is_not_contested(public_data):
    path = public_data / "grading_cases_sample.jsonl"
    if not path.is_file():
        pytest.skip("needs grading_cases_sample.jsonl among the public data")
    rows = [json.loads(text) for text in path.read_text().splitlines()]
    wrong = [
        row["id"]
        for row in rows
        if not row["contested"]
        and verify(Record(question="", answer=row["gold"]), row["prediction_text"]).correct != row["expected"]
    ]
    assert len(rows) == 150 and wrong == []


def test_the_grades_recorded_with_public_outputs_are_shared_but_for_those_that_are_explained(public_data):
    if not (public_data / "outputs").is_dir():
        pytest.skip("needs outputs/ among the public data")
    bench = runpy.run_path(str(EXAM.parents[2] / "scripts" / "bench" / "grade.py"))
    judge, found = bench["by_mathjax"](), set()
    for case in bench["outputs"]():
        if judge(case)["correct"] != case["correct"]:
            found.add(case["id"])
    explained = [json.loads(text) for text in (EXAM.parent / "recorded_grades.jsonl").read_text().splitlines()]
    assert found == {one["id"] for one in explained}
    assert all(one["right"] in ("mathjax", "recorded", "either") and one["note"] for one in explained)
