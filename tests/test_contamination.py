"""Questions that are met again in the records of training."""

import pytest

from data_gen.sources import job
from mathjax import records
from mathjax.evaluate import contamination
from mathjax.records import Record

QUESTION = "Natalia sold 48 clips to her friends in April, and then she sold half as many clips in the month of May."
SEEN = [
    (
        "exact",
        "NATALIA sold 48 clips, to her friends in April and then she sold half as many clips in the month of May",
    ),
    ("masked", QUESTION.replace("48", "62")),
    ("half", "Last year " + QUESTION[: QUESTION.index(" month")] + " week"),
    ("ngram", "to her friends in April, and then she sold half as many clips and other things"),
    (None, "to her friends in April, and then she sold half as many pens"),
]


def overlaps(tmp_path, seen, questions=(QUESTION,)):
    records.write(tmp_path / "train.jsonl", [Record(question=text) for text in seen])
    return contamination.overlaps(list(questions), [str(tmp_path / "train.jsonl")])


@pytest.mark.parametrize(("kind", "text"), SEEN)
def test_each_kind_of_overlap_is_told_from_the_others(tmp_path, kind, text):
    matches, read = overlaps(tmp_path, ["Something else altogether?", text])
    assert read == 2
    assert {number: [(one.kind, one.question) for one in found] for number, found in matches.items()} == (
        {0: [(kind, text)]} if kind else {}
    )


def test_a_match_says_where_it_is_and_the_closest_come_first(tmp_path):
    matches, _ = overlaps(tmp_path, [text for _, text in reversed(SEEN)])
    assert [one.kind for one in matches[0]] == ["exact", "masked", "half"]
    assert matches[0][0].where.endswith("train.jsonl, line 5")
    summary = contamination.summary(matches, 5)
    assert {name: summary[name] for name in ("records", "questions", *contamination.KINDS)} == {
        "records": 5,
        "questions": 1,
        "exact": 1,
        "masked": 0,
        "half": 0,
        "ngram": 0,
    }
    assert summary["matches"][0]["record"] == SEEN[0][1]


def test_a_short_question_is_met_where_it_is_the_same_or_a_run_of_its_own_length(tmp_path):
    matches, _ = overlaps(tmp_path, ["What is 2 + 3?", "what is 9+9"], ["What is 2+3?"])
    assert [one.kind for one in matches[0]] == ["exact", "masked"]


def test_a_source_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        contamination.overlaps(["?"], [str(tmp_path / "none.jsonl")])


@pytest.mark.parametrize(
    ("name", "path", "met", "half"),
    [
        ("gsm8k", "gsm8k/test.jsonl", 3, 1),
        ("gsm_hard", "gsm_hard/test.jsonl", 3, 1),
        ("mawps", "mawps/test.jsonl", 3, 0),
    ],
)
def test_overlaps_with_gsm8ks_training_set_are_those_published_with_the_data(
    public_data, tmp_path, name, path, met, half
):

    records.write(tmp_path / "train.jsonl", job.read("gsm8k", public_data / "gsm8k" / "train.jsonl"))
    questions = [record.question for record in job.read(name, public_data / path)]
    matches, read = contamination.overlaps(questions, [str(tmp_path / "train.jsonl")])
    summary = contamination.summary(matches, read)
    assert (read, summary["questions"], summary["half"], summary["exact"]) == (7_473, met, half, 0)
