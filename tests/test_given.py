"""Completions that were made elsewhere."""

import json

import pytest

from mathjax.evaluate import given
from mathjax.records import Record

FOUND = [Record(question="1+1?", answer="2"), Record(question="2+2?", answer="4"), Record(question="1+1?", answer="2")]


def read(tmp_path, *lines, found=FOUND[:2]):
    path = tmp_path / "made.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return given.read(path, "exam", found)


def test_completions_find_their_questions_by_text_or_number_and_come_in_order(tmp_path):
    rows = read(
        tmp_path,
        {"question": " 2+2? ", "completion": "4", "finish": "stop", "tokens": 3},
        "",
        {"index": 0, "completions": ["2", "3"]},
        {"index": 1, "completion": "5", "score": 0.5},
    )
    assert [(row["index"], row["sample"], row["completion"]) for row in rows] == [
        (0, 0, "2"),
        (0, 1, "3"),
        (1, 0, "4"),
        (1, 1, "5"),
    ]
    assert (rows[2]["finish"], rows[2]["tokens"], rows[0]["finish"], rows[3]["score"]) == ("stop", 3, "unknown", 0.5)
    assert rows[0]["question"] == "1+1?"


def test_lines_of_other_benchmarks_are_passed_over(tmp_path):
    lines = [{"index": i, "completion": str(i)} for i in range(2)]
    assert len(read(tmp_path, *lines, {"benchmark": "other", "index": 7, "completion": "?"})) == 2


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "line 1: "),
        (["3"], "line 1: wanted a JSON object"),
        ([{"completion": "x"}], "wanted index or question, got completion"),
        ([{"index": 2, "completion": "x"}], "index 2 is of none of 2 questions"),
        ([{"question": "3+3?", "completion": "x"}], "no question of the benchmark is '3\\+3\\?'"),
        ([{"index": 0, "question": "2+2?", "completion": "x"}], "question 0 is '1\\+1\\?', not '2\\+2\\?'"),
        ([{"index": 0}], "a completion is text, got None"),
        ([{"index": 0, "completion": "x", "sample": 0}] * 2, "line 2: sample 0 of question 0 is there twice"),
        ([{"index": 0, "completion": "x"}], "1 of 2 questions of benchmark exam have no completion, '2\\+2\\?'"),
        ([{"index": i, "completions": ["x"] * (i + 1)} for i in range(2)], "have from 1 to 2 completions"),
    ],
)
def test_what_is_no_set_of_completions_is_an_error(tmp_path, lines, said):
    with pytest.raises(ValueError, match=said):
        read(tmp_path, *lines)


def test_of_equal_questions_the_first_is_meant(tmp_path):
    with pytest.raises(ValueError, match="1 of 3 questions"):
        read(tmp_path, {"question": "1+1?", "completion": "2"}, {"index": 1, "completion": "4"}, found=FOUND)
