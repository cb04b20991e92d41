"""The corpus of arithmetic: exact, of the forms that are asked for, split and spread by what the questions are."""

import dataclasses
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from bench import exact

from data_gen import arithmetic
from mathjax import config, expression, records, tokens
from mathjax.config import Arithmetic, Expressions

POWERS = dict(power=0.7, exponent=(-2, 3), negative=0.2, brackets=0.5, limit=30)
EVERYTHING = [
    Expressions(operations=(1, 6), digits=(1, 5), divisor_digits=(1, 3), quotient_places=3, **POWERS),
    Expressions(operations=(1, 6), decimal=1, point=0.5, percent=0.5, places=(1, 4), quotient_places=2, **POWERS),
    Expressions(operations=(1, 4), decimal=0.3, point=0.2, percent=0.3, fraction=1, **POWERS),
    Expressions(operations=(1, 1), digits=(1, 12), factor_digits=(1, 12), divisor_digits=(1, 6), limit=24),
]
SMALL = [
    Expressions(operations=(1, 2), digits=(1, 2), factor_digits=(1, 1), divisor_digits=(1, 1)),
    Expressions(weight=0.3, operations=(1, 2), digits=(1, 1), decimal=1, point=1, fraction=1, percent=1, places=(1, 1)),
]


def job(parts=None, **settings):
    made = Arithmetic(**dict(parts=parts or EVERYTHING, train=1_000, heldout=100, test=100, shards=2) | settings)
    config.check(made)
    return made


def corpus(job, split="train"):
    """The records of a split, in memory."""
    count = job.shards if split == "train" else 1
    lines = itertools.chain(*(arithmetic.shard(job, split, number, Counter()) for number in range(count)))
    return [records.parse(line.encode()) for line in lines]


@pytest.fixture(scope="module")
def everything():
    return corpus(job(train=16_000, seed=3)) + corpus(job(EVERYTHING[:2], train=4_000, division="fraction"))


def test_every_segment_is_equal_and_does_one_operation(everything):
    assert len(everything) == 20_000
    for record in everything:
        exact.judge(record.question, record.solution, record.answer)


def test_the_judge_finds_what_is_wrong():
    assert exact.judge("5+4/2*1=", "5+2*1=5+2=7", "7") == 3
    for question, solution, answer in [
        ("5+4/2*1=", "5+2*1=5+2=8", "8"),
        ("5+4/2*1=", "5+2=7", "7"),
        ("5+4/2*1=", "5+2*1=5+2", "5+2"),
        ("1/3=", "0.3333333333333333", "0.3333333333333333"),
        ("-5^2=", "25", "25"),
    ]:
        with pytest.raises(ValueError, match="not"):
            exact.judge(question, solution, answer)


def test_the_evaluator_agrees(everything):
    for record in everything[::10]:
        assert expression.value(record.question[:-1]) == expression.value(record.answer)


def test_every_operator_meets_every_format(everything):
    formats = {
        "integer": r"\d+",
        "decimal": r"\d+\.\d+",
        "point": r"\.\d+",
        "percent": r"\d+%",
        "fraction": r"\(\d+/\d+\)",
    }
    formats["negative"] = r"(?:-\d+|\(-\d+\))"
    missing = []
    for sign, (name, pattern) in itertools.product("+-*/^", formats.items()):
        side = rf"(?:^|(?<=[-+*/(\[])){pattern}\{sign}"
        right = rf"(?<=[\d)\]%])\{sign}{pattern}(?![.%\d])"
        found = sum(bool(re.search(side, record.question)) for record in everything)
        found_right = sum(bool(re.search(right, record.question)) for record in everything)
        wanted_right = sign != "^" or name in ("integer", "negative")
        missing += [(sign, name)] * (found < 5 or wanted_right and found_right < 5)
    assert not missing


def test_square_brackets_are_around_round_ones(everything):
    square = [record.question for record in everything if "[" in record.question]
    assert len(square) > 200
    assert all(re.search(r"\[[^]]*\(.*\).*\]", question) for question in square)


def test_numbers_are_written_without_exponents_spaces_and_needless_zeros(everything):
    written = "".join(record.question + record.solution + "\n" for record in everything)
    assert not re.search(r"[^-+*/^()\[\].%=0-9\n]", written)
    assert not re.search(r"\.\d*0(?!\d)|\.(?!\d)|(?<![\d.])0\d|(?<!\d)-0(?![.\d])", written)


def test_every_character_has_a_token(everything):
    tokenizer = tokens.CharacterTokenizer()
    for record in everything[:500]:
        text = record.question + record.solution
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_fractions_of_results_are_in_lowest_terms():
    answers = [record.answer for record in corpus(job(EVERYTHING[:1], division="fraction"))]
    fractions = [answer for answer in answers if "/" in answer]
    assert len(fractions) > 100
    for answer in fractions:
        assert f"({expression.value(answer)})" == answer


def test_direct_lines_hold_the_same_questions_and_the_answer_alone():
    steps, direct = (corpus(job(SMALL[:1], mode=mode, train_only=99)) for mode in ("steps", "direct"))
    assert [record.question for record in steps] == [record.question for record in direct]
    assert all(record.solution == record.answer for record in direct)


def test_numbers_have_the_digits_asked_for():
    part = Expressions(
        operations=(1, 3), digits=(3, 4), factor_digits=(1, 1), divisor_digits=(2, 2), limit=9, divide=0.2
    )
    for record in corpus(job([part])):
        for sign, number in re.findall(r"(^|[-+*/])(\d+)", record.question):
            least, most = {"*": (1, 1), "/": (2, 2)}.get(sign, (3, 4))
            assert least <= len(number) <= most or "/" in record.question and len(number) <= most, record
        assert max(map(len, re.findall(r"\d+", record.solution))) <= 9


def test_questions_have_the_operations_and_operators_asked_for():
    found = corpus(job([Expressions(operations=(2, 4), divide=0, multiply=0)], train=3_000))
    counts = Counter(exact.operations(record.question[:-1]) for record in found)
    assert sorted(counts) == [2, 3, 4]
    assert min(counts.values()) > 800
    assert not re.search(r"[*/^%.(]", "".join(record.question for record in found))


def test_quotients_have_the_places_asked_for():
    part = Expressions(operations=(1, 1), add=0, subtract=0, multiply=0, digits=(1, 4), quotient_places=2)
    decimals = Counter(len(record.answer.partition(".")[2]) for record in corpus(job([part])))
    assert set(decimals) == {0, 1, 2}
    assert min(decimals.values()) > 50


def test_no_value_is_negative_where_that_is_asked_for():
    part = Expressions(operations=(1, 4), below_zero=False, brackets=0.5, quotient_places=2)
    assert not any(re.search(r"(^|[-+*/(\[=])-", record.question + record.solution) for record in corpus(job([part])))


def test_an_example_is_a_function_of_its_number():
    settings = job(shards=3, seed=5)
    seen, expected = set(), []
    for i in range(1, 330, 3):
        record = arithmetic.example(settings, "train", i)
        if record.question not in seen:
            seen.add(record.question)
            expected.append(record)
    found = list(itertools.islice(arithmetic.shard(settings, "train", 1, Counter()), 100))
    assert [records.line(record) for record in expected[:100]] == found
    assert arithmetic.example(settings, "train", 7) == arithmetic.example(settings, "train", 7)


def test_another_seed_gives_other_examples():
    first, second = (arithmetic.example(job(seed=seed), "test", 0) for seed in (0, 1))
    assert first != second


def test_splits_share_no_question_and_train_shows_none_of_the_others():
    settings = job(SMALL, train=4_000, heldout=200, test=200)
    found = {split: corpus(settings, split) for split in arithmetic.SPLITS}
    questions = {split: {record.question for record in found[split]} for split in found}
    assert {split: len(questions[split]) for split in found} == {"train": 4_000, "heldout": 200, "test": 200}
    for split in found:
        assert all(arithmetic.split_of(question) == split for question in questions[split])
    shown = {part + "=" for record in found["train"] for part in (record.question + record.solution).split("=")[:-1]}
    assert len(shown) > 6_000
    assert not shown & (questions["heldout"] | questions["test"])


def test_tables_are_in_train_alone():
    settings = job([Expressions(operations=(1, 1), digits=(1, 1), factor_digits=(1, 1), divisor_digits=(1, 1))],
                   train=340, heldout=0, test=0, shards=1)  # fmt: skip
    questions = {record.question for record in corpus(settings)}
    assert {f"{a}{sign}{b}=" for a in range(10) for b in range(10) for sign in "+-*"} <= questions
    assert {arithmetic.split_of(question) for question in questions} == {"train"}
    assert {arithmetic.split_of(question, train_only=0) for question in questions} == {"train", "heldout", "test"}


def test_the_split_of_a_question_never_changes():
    questions = ["12+34=", "5+4/2*1", "999*999=", "[1+(2-3)]*4=", "1+1"]
    assert [arithmetic.split_of(question) for question in questions] == SPLITS_FOREVER


@pytest.mark.parametrize("shards", [1, 7, 64])
def test_shards_share_no_question(shards):
    questions = [record.question for record in corpus(job(SMALL, train=4_000, shards=shards, heldout=0, test=0))]
    assert len(questions) == len(set(questions)) == 4_000


def test_a_part_that_runs_dry_is_made_up_for_and_counted():
    tiny = Expressions(operations=(1, 1), digits=(1, 1), multiply=0, divide=0)
    facts = Counter()
    settings = job([tiny, Expressions(operations=(2, 2))], train=3_000, shards=1)
    rows = list(arithmetic.shard(settings, "train", 0, facts))
    assert len(rows) == facts[0] + facts[1] == 3_000
    assert facts[0] == 200
    assert facts["duplicates"] >= arithmetic.PATIENCE


@pytest.mark.timeout(60)
@pytest.mark.parametrize("split", arithmetic.SPLITS)
def test_asking_for_more_than_there_is_is_an_error(split):
    tiny = Expressions(operations=(1, 1), digits=(1, 1), multiply=0, divide=0)
    with pytest.raises(ValueError, match=r"no part has a new question after (0|200) of 1000: ask for fewer"):
        list(arithmetic.shard(job([tiny], train=1_000, heldout=1_000, test=1_000, shards=1), split, 0, Counter()))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A corpus made on one process."""
    folder = tmp_path_factory.mktemp("unbroken")
    return folder, arithmetic.run(recipe(), folder, workers=1)


def recipe():
    return job(EVERYTHING, train=12_000, shards=6, heldout=50, test=50)


def test_a_corpus_lies_in_files_and_a_manifest(unbroken):
    folder, manifest = unbroken
    names = [f"train-{number:05d}-of-00006.jsonl" for number in range(6)]
    names += ["heldout-00000-of-00001.jsonl", "test-00000-of-00001.jsonl"]
    assert sorted(file.name for file in folder.iterdir()) == sorted([*names, "manifest.json"])
    assert list(manifest["files"]) == names
    assert manifest["recipe"] == json.loads(json.dumps(dataclasses.asdict(recipe())))
    assert manifest["last_run"]["rows_per_second"] > 0
    for name, facts in manifest["files"].items():
        assert facts["rows"] == len(records.read(folder / name)) == sum(facts["parts"])
        assert facts["sha256"] == records.digest(folder / name)
        assert facts["duplicates"] >= 0


def test_files_are_the_bytes_that_records_writes(unbroken, tmp_path):
    folder, _ = unbroken
    found = folder / "train-00000-of-00006.jsonl"
    records.write(tmp_path / "again.jsonl", records.read(found))
    assert (tmp_path / "again.jsonl").read_bytes() == found.read_bytes()


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(unbroken, tmp_path):
    folder, manifest = unbroken
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, test_arithmetic\n"
        "if __name__ == '__main__':\n"
        "    test_arithmetic.arithmetic.run(test_arithmetic.recipe(), sys.argv[1], workers=2)\n"
    )
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    command = [sys.executable, program, tmp_path / "killed"]
    first = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not len(list((tmp_path / "killed").glob("train-*"))) >= 2 and time.monotonic() < end:
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "killed").glob("*-of-*.jsonl")}
    listed = json.loads((tmp_path / "killed" / "manifest.json").read_text())["files"]
    assert 0 < len(before) < 8
    again = arithmetic.run(recipe(), tmp_path / "killed", workers=2)
    for name, facts in manifest["files"].items():
        assert (tmp_path / "killed" / name).read_bytes() == (folder / name).read_bytes()
        assert facts["sha256"] == again["files"][name]["sha256"]
    for name in listed:
        assert (tmp_path / "killed" / name).stat().st_mtime_ns == before[name]


def test_another_recipe_is_refused(unbroken):
    folder, _ = unbroken
    with pytest.raises(ValueError, match=r"another recipe: config\.seed is 0 there, 1 now"):
        arithmetic.run(dataclasses.replace(recipe(), seed=1), folder)


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
        job([Expressions(**settings)])


SPLITS_FOREVER = []
