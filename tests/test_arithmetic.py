"""The arithmetic corpus: exact, one operation a step, of the forms asked for; disjoint; a function of its recipe."""

import dataclasses
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from bench import exact  # shares no code with the generator

from data_gen import arithmetic
from mathjax import config, expression, records, tokens
from mathjax.config import Arithmetic, Expressions

CHECKOUT = pathlib.Path(__file__).parents[1]

POWERS = dict(power=0.7, exponent=(-2, 3), negative=0.2, brackets=0.5, limit=30)
WIDE = [
    Expressions(operations=(1, 6), digits=(1, 5), divisor_digits=(1, 3), quotient_places=3, **POWERS),
    Expressions(operations=(1, 6), decimal=1, point=0.5, percent=0.5, places=(1, 4), quotient_places=2, **POWERS),
    Expressions(operations=(1, 4), decimal=0.3, point=0.2, percent=0.3, fraction=1, **POWERS),
    Expressions(operations=(1, 1), digits=(1, 12), factor_digits=(1, 12), divisor_digits=(1, 6), limit=24),
]
SMALL = [
    Expressions(operations=(1, 2), digits=(1, 2), factor_digits=(1, 1), divisor_digits=(1, 1)),
    Expressions(weight=0.3, operations=(1, 2), digits=(1, 1), decimal=1, point=1, fraction=1, percent=1, places=(1, 1)),
]
SUMS = Expressions(operations=(1, 1), digits=(1, 1), multiply=0, divide=0)  # 200 questions


def recipe(parts=SMALL, **settings):
    made = Arithmetic(**(dict(parts=parts, train=1_000, heldout=200, test=200, shards=4) | settings))
    config.check(made)
    return made


def lines(job, split="train"):
    """The records of a split, made in this process."""
    shards = range(job.shards if split == "train" else 1)
    made = itertools.chain(*(arithmetic.shard(job, split, number, Counter()) for number in shards))
    return [records.parse(line.encode()) for line in made]


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.jsonl"))}


@pytest.fixture(scope="module")
def wide():
    return lines(recipe(WIDE, train=12_000)) + lines(recipe(WIDE[:2], train=3_000, division="fraction"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus made by one process."""
    folder = tmp_path_factory.mktemp("corpus")
    arithmetic.run(recipe(WIDE[:2], train=6_000, shards=6), folder, workers=1)
    return folder


def test_every_segment_equals_the_question_and_does_one_operation(wide):
    assert sum(exact.judge(record.question, record.solution, record.answer) for record in wide) > 2.5 * len(wide)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("5+4=10", "is 10, not 9"),
        ("5+4/2*1=7", "one operation apart"),
        ("5+4/2*1=5+2*1=5+2", "not what the chain ends in"),
        ("1/3=0.3333333333333333", "not 1/3"),
        ("-5^2=25", "not -25"),
    ],
)
def test_the_judge_refuses_what_is_wrong(line, message):
    question, _, solution = line.partition("=")
    with pytest.raises(ValueError, match=message):
        exact.judge(question + "=", solution, solution.rpartition("=")[2])


def test_the_evaluator_of_mathjax_agrees(wide):
    for record in wide[::10]:
        assert expression.value(record.question.removesuffix("=")) == expression.value(record.answer)


def test_every_operator_meets_every_format(wide):
    formats = {"integer": r"\d+", "decimal": r"\d+\.\d+", "point": r"\.\d+", "percent": r"\d+%"}
    formats |= {"fraction": r"\(\d+/\d+\)", "negative": r"(?:-\d+|\(-\d+\))"}
    missing = []
    for sign, (name, number) in itertools.product("+-*/^", formats.items()):
        sides = [rf"(?:^|(?<=[-+*/(\[])){number}\{sign}"]
        if sign != "^" or name in ("integer", "negative"):
            sides.append(rf"(?<=[\d)\]%])\{sign}{number}(?![.%\d])")
        missing += [(sign, name) for side in sides if sum(bool(re.search(side, r.question)) for r in wide) < 5]
    assert not missing


def test_numbers_are_written_without_exponents_spaces_and_needless_zeros(wide):
    written = "\n".join(record.question + record.solution for record in wide)
    assert not re.search(r"[^-+*/^()\[\].%=0-9\n]", written)
    assert not re.search(r"\.\d*0(?!\d)|\.(?!\d)|(?<![\d.])0\d|(?<!\d)-0(?![.\d])", written)


def test_every_character_has_a_token(wide):
    tokenizer = tokens.CharacterTokenizer()
    text = "".join(record.question + record.solution for record in wide)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_square_brackets_are_around_round_ones(wide):
    square = [record.question for record in wide if "[" in record.question]
    assert len(square) > 200
    assert all(re.search(r"\[[^]]*\(.*\).*\]", question) for question in square)


def test_fractions_of_answers_are_in_lowest_terms(wide):
    fractions = [record.answer for record in wide if "/" in record.answer]
    assert len(fractions) > 500
    assert all(f"({expression.value(answer)})" == answer for answer in fractions)


def test_direct_lines_ask_the_same_and_give_the_answer_alone():
    steps, direct = (lines(recipe(WIDE, mode=mode, train_only=99)) for mode in ("steps", "direct"))
    assert [record.question for record in direct] == [record.question for record in steps]
    assert [record.answer for record in direct] == [record.answer for record in steps]
    assert all(record.solution == record.answer for record in direct)


def test_numbers_have_the_digits_asked_for():
    part = Expressions(operations=(1, 3), digits=(3, 4), factor_digits=(1, 1), divisor_digits=(2, 2), divide=0, limit=8)
    for record in lines(recipe([part])):
        for sign, number in re.findall(r"(^|[-+*])(\d+)", record.question):
            assert len(number) == 1 if sign == "*" else len(number) in (3, 4), record
        assert max(map(len, re.findall(r"\d+", record.solution))) <= 8


def test_questions_have_the_operations_and_operators_asked_for():
    questions = [r.question.removesuffix("=") for r in lines(recipe([Expressions(operations=(2, 4), multiply=0)]))]
    counts = Counter(map(exact.operations, questions))
    assert sorted(counts) == [2, 3, 4]
    assert min(counts.values()) > 200
    assert not re.search(r"[*^%.(]", "".join(questions))


def test_quotients_have_the_places_asked_for():
    part = Expressions(operations=(1, 1), add=0, subtract=0, multiply=0, digits=(1, 4), quotient_places=2)
    places = Counter(len(record.answer.partition(".")[2]) for record in lines(recipe([part])))
    assert set(places) == {0, 1, 2}
    assert min(places.values()) > 50


def test_a_result_is_not_below_zero_where_that_is_asked_for():
    part = Expressions(operations=(1, 4), below_zero=False, brackets=0.5, quotient_places=2)
    assert not any(re.search(r"(^|[-+*/(\[=])-", r.question + r.solution) for r in lines(recipe([part])))


def test_an_example_is_a_pure_function_of_recipe_split_and_number():
    job = recipe(WIDE, shards=3)
    alone = {i: arithmetic.example(job, "train", i) for i in reversed(range(1, 391, 3))}  # those of shard 1
    distinct = {alone[i].question: records.line(alone[i]) for i in sorted(alone, reverse=True)}
    in_order = [distinct[question] for question in dict.fromkeys(alone[i].question for i in sorted(alone))]
    assert in_order[:100] == list(itertools.islice(arithmetic.shard(job, "train", 1, Counter()), 100))


def test_another_seed_gives_other_lines():
    ours, theirs = ({record.question for record in lines(recipe(WIDE, seed=seed))} for seed in (0, 1))
    assert len(ours & theirs) < 0.1 * len(ours)


def test_splits_are_disjoint_down_to_the_steps():
    job = recipe(train=4_000)
    shown = {part for record in lines(job) for part in (record.question + record.solution).split("=")[:-1]}
    assert len(shown) > 5_000
    for split in ("heldout", "test"):
        asked = {record.question.removesuffix("=") for record in lines(job, split)}
        assert len(asked) == 200
        assert not asked & shown
        assert all(arithmetic.split_of(question) == split for question in asked)


def test_the_split_of_a_question_never_changes():
    questions = {
        "test": ["14+11=", "17+16="],
        "heldout": ["12+16=", "19+11"],
        "train": ["12+34=", "[1+(2-3)]*4=", "1+1"],
    }
    for split, asked in questions.items():
        assert {arithmetic.split_of(question) for question in asked} == {split}


def test_tables_are_in_train_alone():
    products = Expressions(operations=(1, 1), digits=(1, 1), factor_digits=(1, 1), add=0, subtract=0, divide=0)
    questions = {r.question for r in lines(recipe([SUMS, products], train=298, shards=1, heldout=0, test=0))}
    assert len(questions) == 298
    assert {arithmetic.split_of(question) for question in questions} == {"train"}
    assert {arithmetic.split_of(question, train_only=0) for question in questions} == {"train", "heldout", "test"}
    assert min(len(record.question) for record in lines(recipe(), "test")) > 4


@pytest.mark.parametrize("shards", [1, 7, 64])
def test_no_question_comes_twice_in_any_number_of_shards(shards):
    questions = [record.question for record in lines(recipe(train=4_000, shards=shards))]
    assert len(set(questions)) == len(questions) == 4_000


def test_a_part_that_runs_dry_is_made_up_for_and_counted():
    facts = Counter()
    job = recipe([SUMS, Expressions(operations=(2, 2))], train=3_000, shards=1)
    assert len(list(arithmetic.shard(job, "train", 0, facts))) == facts[0] + facts[1] == 3_000
    assert 195 <= facts[0] <= 200
    assert facts["duplicates"] >= arithmetic.PATIENCE


@pytest.mark.timeout(60)
def test_a_space_too_small_is_an_error_and_not_an_endless_loop():
    with pytest.raises(ValueError, match=r"no part has a new question after (19\d|200) of 1000: ask for fewer"):
        lines(recipe([SUMS], shards=1))


def test_a_corpus_lies_in_files_and_a_manifest(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    names = [f"train-{number:05d}-of-00006.jsonl" for number in range(6)]
    names += ["heldout-00000-of-00001.jsonl", "test-00000-of-00001.jsonl"]
    assert sorted(file.name for file in folder.iterdir()) == sorted([*names, "manifest.json"])
    assert list(manifest["files"]) == names
    for name, facts in manifest["files"].items():
        assert facts["rows"] == len(records.read(folder / name)) == sum(facts["parts"])
        assert facts["sha256"] == records.digest(folder / name)


def test_a_file_has_the_bytes_that_records_write(folder, tmp_path):
    records.write(tmp_path / "again.jsonl", records.read(folder / "train-00000-of-00006.jsonl"))
    assert (tmp_path / "again.jsonl").read_bytes() == (folder / "train-00000-of-00006.jsonl").read_bytes()


def test_another_recipe_in_the_same_folder_is_an_error_that_says_what_differs(folder):
    job = recipe(WIDE[:2], train=6_000, shards=6)
    with pytest.raises(ValueError, match=r"another recipe: config\.seed is 0 there, 7 now"):
        arithmetic.run(dataclasses.replace(job, seed=7), folder)


def test_a_killed_run_makes_only_what_is_missing_and_the_bytes_of_one_process(tmp_path):
    (tmp_path / "recipe.py").write_text(
        "from mathjax.config import Arithmetic, Expressions\n"
        "def get_config():\n"
        "    return Arithmetic(parts=[Expressions(operations=(2, 5))], train=60_000, heldout=50, test=50, shards=12)\n"
    )
    command = [sys.executable, CHECKOUT / "scripts/make_data.py", f"--config={tmp_path / 'recipe.py'}"]

    def start(folder):
        return subprocess.Popen([*command, f"--workdir={folder}"], stderr=subprocess.DEVNULL, start_new_session=True)

    killed = start(tmp_path / "killed")
    end = time.time() + 60
    while len(contents(tmp_path / "killed")) < 3:
        assert killed.poll() is None and time.time() < end
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    there = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed").glob("*.jsonl")}
    assert len(there) < 14
    assert start(tmp_path / "killed").wait(120) == 0
    parts = [Expressions(operations=(2, 5))]
    arithmetic.run(recipe(parts, train=60_000, heldout=50, test=50, shards=12), tmp_path / "whole", workers=1)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    kept = sum((tmp_path / "killed" / name).stat().st_mtime_ns == time for name, time in there.items())
    assert kept >= len(there) - 2  # those written, but not yet in the manifest, are made again


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(digits=(0, 3)), "digits must be"),
        (dict(digits=(3, 2)), "digits must be"),
        (dict(operations=(1,)), "operations must be"),
        (dict(add=0, subtract=0, multiply=0, divide=0), "not all 0"),
        (dict(add=-1), "must not be negative"),
        (dict(integer=0), "not all 0"),
        (dict(brackets=1.5), "brackets must lie in"),
        (dict(limit=0), "limit must lie in"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        recipe([Expressions(**settings)])
