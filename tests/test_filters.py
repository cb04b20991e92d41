"""What is left out of records: duplicates, near ones, and what a benchmark asks."""

import json

import pytest

from data_gen import filters
from data_gen.sources import job as public
from mathjax import config, records
from mathjax.records import Record

LONG = "Anna picks 12 apples and gives 5 of them to her brother who lives in the house beside the old mill near town"
TEST = [
    Record(question=f"{LONG}. How many does she keep?", answer="7"),
    Record(question="What is 2 + 3?", answer="5"),
]
ROWS = [
    ("kept", "Ben reads 3 pages.", "3"),
    ("benchmark_exact", "what is 2 + 3", "5"),
    ("benchmark_masked", "What is 7 + 9?", "16"),
    ("benchmark_half", f"{LONG} by the sea. What is left?", "7"),
    ("duplicate", "Ben reads 3 pages!", " 3 "),
    ("kept", "Ben reads 3 pages.", "it is 3"),
    ("kept", f"Say no more than this: {' '.join(LONG.split()[:13])}", "12"),
]


def made(tmp_path, rows, **settings):
    records.write(tmp_path / "test.jsonl", TEST)
    records.write(tmp_path / "in.jsonl", [Record(question=question, solution=text) for question, text in rows])
    known = {"sources": [str(tmp_path / "in.jsonl")], "against": [str(tmp_path / "test.jsonl")]} | settings
    job = config.Filter(**known)
    config.check(job)
    manifest = filters.run(job, tmp_path / "out")
    kept = [(record.question, record.solution) for record in records.read(tmp_path / "out" / filters.FILE)]
    dropped = [json.loads(line) for line in (tmp_path / "out" / filters.DROPPED).read_text().splitlines()]
    return manifest, kept, dropped


def test_each_record_is_kept_or_dropped_for_its_reason(tmp_path):
    manifest, kept, dropped = made(tmp_path, [row[1:] for row in ROWS])
    assert kept == [row[1:] for row in ROWS if row[0] == "kept"]
    assert [row["why"] for row in dropped] == [why for why, *_ in ROWS if why != "kept"]
    assert manifest["counts"] == {why: sum(row[0] == why for row in ROWS) for why in manifest["counts"]}
    assert sum(manifest["counts"].values()) == len(ROWS) and manifest["dropped"] == dropped
    assert [row["like"].rpartition("/")[2] for row in dropped] == [
        "test.jsonl#1",
        "test.jsonl#1",
        "test.jsonl#0",
        "in.jsonl#0",
    ]
    assert dropped[0]["where"].endswith("in.jsonl#1") and dropped[0]["its_question"] == "What is 2 + 3?"


def test_the_weakest_overlap_counts_where_it_is_asked(tmp_path):
    _, kept, dropped = made(tmp_path, [ROWS[-1][1:]], kinds=["ngram"])
    assert (kept, dropped[0]["why"]) == ([], "benchmark_ngram")


def test_near_duplicates_are_known_by_their_runs_of_words(tmp_path):
    text = " ".join(f"word{i}" for i in range(60))
    rows = [("q", text), ("q", text + " more"), ("q", text.replace("word30", "other")), ("q", "short"), ("q", "shore")]
    manifest, kept, dropped = made(tmp_path, rows, near=0.8)
    assert [rows.index(pair) for pair in kept] == [0, 3, 4]
    assert manifest["counts"] == {"kept": 3, "near_duplicate": 2}
    assert dropped[0]["share"] == round(57 / 58, 3) and dropped[1]["share"] == round(52 / 62, 3)
    assert len(made(tmp_path, rows)[1]) == 5


def test_what_is_asked_in_train_and_test_of_gsm8k_is_found(public_data, tmp_path):
    """The training set against the test set: no question is in both."""
    for split in ("train", "test"):
        records.write(tmp_path / f"{split}.jsonl", public.read("gsm8k", public_data / "gsm8k" / f"{split}.jsonl"))
    job = config.Filter(sources=[str(tmp_path / "train.jsonl")], against=[str(tmp_path / "test.jsonl")])
    manifest = filters.run(job, tmp_path / "out")
    assert "benchmark_exact" not in manifest["counts"] and sum(manifest["counts"].values()) == 7473
    assert manifest["counts"]["kept"] > 7400
    job = config.Filter(sources=[str(tmp_path / "test.jsonl")], against=[str(tmp_path / "test.jsonl")])
    assert filters.run(job, tmp_path / "all")["counts"] == {"benchmark_exact": 1319}


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"sources": []}, "at least one"), ({"kinds": ["like"]}, "got 'like'"), ({"near": 2.0}, "near must lie in")],
)
def test_settings_that_are_wrong_are_named(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        made(tmp_path, [], **settings)
