"""The story of RFT in miniature, by the recipes of scripts/rft.sh; what several seeds of it sum up to; its refusals."""

import copy
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import pytest

from data_gen import word_problems
from data_gen.rejection import job as rejection
from data_gen.word_problems import vocabulary
from mathjax import config, records
from mathjax.evaluate import compare
from mathjax.evaluate import run as evaluation
from mathjax.tokens import pretrained
from mathjax.train import loop

CHECKOUT = pathlib.Path(__file__).parents[1]
SCRIPT = CHECKOUT / "scripts" / "rft.sh"


@pytest.fixture(scope="module")
def recipes():
    """What each recipe of the story returns, by its name."""
    sys.path.insert(0, str(CHECKOUT / "configs"))
    try:
        names = ("rft_corpus", "rft_base", "rft_questions", "rft_train", "rft_evaluate", "rejection")
        return {name: __import__(name).get_config() for name in names}
    finally:
        sys.path.remove(str(CHECKOUT / "configs"))


@pytest.fixture(scope="module")
def seeds():
    sys.path.insert(0, str(CHECKOUT / "scripts"))
    try:
        return __import__("rft_seeds")
    finally:
        sys.path.remove(str(CHECKOUT / "scripts"))


def changed(job, **settings):
    """A recipe with some settings changed, by their dotted names with __ for the points."""
    for name, value in settings.items():
        *path, last = name.split("__")
        part = job
        for step in path:
            part = part[int(step)] if step.isdigit() else getattr(part, step)
        setattr(part, last, value)
    return job


def test_the_story_is_told_from_nothing_to_its_comparison(recipes, tmp_path):
    recipes = copy.deepcopy(recipes)
    corpus, questions = tmp_path / "corpus", tmp_path / "questions"
    word_problems.run(changed(recipes["rft_corpus"], train=60, heldout=16, shards=1), corpus, workers=1)
    word_problems.run(changed(recipes["rft_questions"], train=8, heldout=8), questions, workers=1)
    new, test = str(questions / "train-*.jsonl"), str(questions / "heldout-*.jsonl")
    short = {"steps": 2, "heldout_batches": 1, "data__rows": 8}
    held = {"heldout__sources__0__path": test}
    base = changed(recipes["rft_base"], **short, tokenizer__source=str(corpus / "tokenizer"))
    base = changed(base, data__sources__0__path=str(corpus / "train-*.jsonl"), **held)
    loop.run(base, tmp_path / "base")
    for name, path in (("sft", new), ("rft", str(tmp_path / "rejection" / "train-*.jsonl"))):
        job = changed(recipes["rft_train"], **short, **held, pretrained__source=str(tmp_path / "base"))
        loop.run(changed(job, data__sources__0__path=path), tmp_path / name)
        if name == "sft":
            asked = changed(recipes["rejection"], questions=new, samples__0__model=str(tmp_path / "sft"), shards=2)
            asked = changed(asked, template="question_answer", slots=8, sampling__samples=2, sampling__max_tokens=8)
            told = rejection.run(asked, tmp_path / "rejection", workers=1)
            assert told["questions"] == 8 and told["rows"] >= 8
        job = changed(recipes["rft_evaluate"], checkpoint=str(tmp_path / name), slots=8, sampling__max_tokens=8)
        report = evaluation.run(changed(job, benchmarks__0__path=test), tmp_path / name / "greedy")
        assert report["benchmarks"]["new_questions"]["n"] == 8
    begun = [json.loads((tmp_path / name / "metrics.jsonl").read_text().splitlines()[0]) for name in ("sft", "rft")]
    assert begun[0]["step"] == 0 and begun[0]["heldout_loss"] == begun[1]["heldout_loss"]  # both begin with the base
    found = compare.run(tmp_path / "rft" / "greedy", tmp_path / "sft" / "greedy", tmp_path / "compared")
    assert found["benchmarks"]["new_questions"]["n"] == 8


def test_the_tokenizer_of_a_corpus_gives_back_every_text_and_is_the_same_again(recipes, tmp_path):
    job = dataclasses.replace(recipes["rft_corpus"], train=200, heldout=0, shards=1)
    word_problems.run(job, tmp_path, workers=1)
    found = pretrained.read(tmp_path / "tokenizer")
    texts = [text for one in records.read(tmp_path / "train-*.jsonl") for text in (one.question, one.solution)]
    assert found.vocab_size <= 512 and vocabulary.learn(texts, 512) == found
    for text in [*texts, "Añ 一 \n\t~ <<12*3=36>>36"]:
        assert found.decode(found.encode(text)) == text
    assert len(found.encode("1234567890")) == 10


def test_stories_named_are_told_in_every_split_with_numbers_of_its_own(recipes):
    job = dataclasses.replace(recipes["rft_questions"], templates=["eggs_in_boxes", "bus_with_stops"])
    made = {split: [word_problems.example(job, split, i) for i in range(40)] for split in ("train", "heldout", "test")}
    for found in made.values():
        assert {record.extra["template"] for record in found} == set(job.templates)
    numbers = [{(one.extra["template"], *one.extra["numbers"]) for one in found} for found in made.values()]
    assert not any(one & other for i, one in enumerate(numbers) for other in numbers[:i])
    with pytest.raises(ValueError, match=r"config\.templates: no template eggs; there are dozens, "):
        word_problems.example(dataclasses.replace(job, templates=["eggs"]), "train", 0)
    with pytest.raises(ValueError, match="vocabulary must be 0 or 300 and more, got 200"):
        config.check(dataclasses.replace(job, vocabulary=200))


def told(folder, rft, sft, distinct):
    """The folder of a seed: whether each of its models was right at each question, and the curve of distinct paths."""
    for name, right in (("rft", rft), ("sft", sft)):
        for how, samples in (("greedy", 1), ("votes", 3)):
            path = folder / name / how / "judged" / "new.jsonl"
            path.parent.mkdir(parents=True)
            rows = [
                {"index": i, "verdicts": {"strict": {"answer": "7", "correct": True} if one else {"correct": False}}}
                for i, one in enumerate(right)
                for _ in range(samples)
            ]
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    curve = [{"k": k, "distinct": value} for k, value in distinct.items()]
    (folder / "rejection").mkdir()
    (folder / "rejection" / "report.json").write_text(json.dumps({"models": {"sft": {"curve": curve}}}))


def test_seeds_are_summed_up_with_the_interval_of_their_difference(seeds, tmp_path):
    told(tmp_path / "seed-1", [1, 1, 1, 0], [1, 0, 0, 0], {1: 1.0, 4: 2.0})
    told(tmp_path / "seed-2", [1, 1, 0, 1], [1, 1, 0, 0], {1: 1.5, 4: 2.5})
    told(tmp_path / "seed-10", [1, 1, 1, 1], [0, 0, 0, 1], {1: 1.0, 4: 3.0})
    command = [sys.executable, CHECKOUT / "scripts" / "rft_seeds.py", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "seeds.json").read_text())
    assert found["seeds"] == ["seed-1", "seed-2", "seed-10"]
    for how in ("greedy", "votes"):
        assert found[how]["rft"] == [0.75, 0.75, 1.0] and found[how]["sft"] == [0.25, 0.5, 0.25]
        assert found[how]["difference"] == pytest.approx(0.5) and found[how]["questions"] == 12
        # Gaps of 0.5, 0.25 and 0.75: a mean of 0.5, a deviation of 0.25, and t = 4.302653 of two degrees of freedom.
        assert found[how]["interval"] == pytest.approx([0.5 - 4.302653 * 0.25 / 3**0.5, 0.5 + 4.302653 * 0.25 / 3**0.5])
        low, high = found[how]["pooled_interval"]
        assert 0 < low < 0.5 < high < 1
    assert "seed-10     100.0%   25.0%       +75.0" in done.stdout
    assert "4             2.00    2.50    3.00" in done.stdout


@pytest.mark.parametrize(
    ("settings", "arguments", "status", "said"),
    [
        ({}, ["--help"], 0, "SIZE=smollm2"),
        ({}, ["a", "b"], 2, "one folder is all it takes, got: a b"),
        ({"SIZE": "huge"}, [], 2, "SIZE is embedded, smollm2 or 7b, got huge"),
    ],
)
def test_the_script_says_what_it_takes_before_it_sets_anything_up(settings, arguments, status, said):
    done = subprocess.run(
        ["bash", SCRIPT, *arguments], capture_output=True, text=True, timeout=60, env=os.environ | settings
    )
    assert done.returncode == status and said in done.stdout + done.stderr
    assert "setup" not in done.stderr
