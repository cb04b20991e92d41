"""The arithmetic corpus: exact, one operation a step, disjoint, a pure function of its recipe."""

import os
import pathlib
import runpy
import signal
import subprocess
import sys
import time

import pytest

from data_gen import arithmetic
from mathjax import records
from mathjax.config import Arithmetic, Expressions

CHECKOUT = pathlib.Path(__file__).parents[1]
JUDGE = runpy.run_path(str(CHECKOUT / "scripts/bench/exact.py"))["judge"]  # shares no code with the generator

WIDE = [
    Expressions(operations=(1, 6), digits=(1, 5), power=0.5, exponent=(-2, 4), negative=0.2, brackets=0.5, limit=24),
    Expressions(operations=(1, 6), decimal=1, percent=0.5, negative=0.2, brackets=0.5, quotient_places=2, limit=24),
    Expressions(operations=(1, 5), decimal=0.3, percent=0.3, fraction=1, negative=0.2, brackets=0.5, limit=30),
]
SMALL = [Expressions(operations=(1, 2), digits=(1, 2), factor_digits=(1, 1), divisor_digits=(1, 1))]


def recipe(**settings):
    values = {"parts": SMALL, "train": 4000, "heldout": 200, "test": 200, "shards": 4}
    return Arithmetic(**(values | settings))


def lines(folder, split):
    return list(records.read(folder / f"{split}-*.jsonl"))


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.jsonl"))}


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide")
    arithmetic.run(recipe(parts=WIDE, train=6000), folder)
    return lines(folder, "train")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    arithmetic.run(recipe(), folder)
    return folder


def test_every_segment_equals_the_question_and_does_one_operation(wide):
    assert sum(JUDGE(record.question, record.solution, record.answer) for record in wide) > 3 * len(wide)


def test_the_judge_refuses_a_wrong_chain_and_a_long_step():
    with pytest.raises(ValueError, match="is 10, not 9"):
        JUDGE("5+4=", "10", "10")
    with pytest.raises(ValueError, match="one operation apart"):
        JUDGE("5+4/2*1=", "7", "7")


def test_every_operator_and_format_occurs(wide):
    text = " ".join(record.question for record in wide)
    assert set("+-*/^()[].%=") <= set(text)
    assert any("e" not in record.solution and "." in record.solution for record in wide)
    assert not any("e" in record.solution for record in wide)


def test_direct_mode_gives_the_answer_alone():
    job = recipe(mode="direct", parts=WIDE)
    for i in range(200):
        record = arithmetic.example(job, "train", i)
        assert record.solution == record.answer


def test_a_result_is_not_below_zero_where_that_is_asked_for(tmp_path):
    parts = [Expressions(operations=(1, 3), digits=(1, 2), below_zero=False, limit=3)]
    arithmetic.run(recipe(parts=parts), tmp_path)
    segments = [part for record in lines(tmp_path, "train") for part in record.solution.split("=")]
    assert len(segments) > 4000
    assert not any(part.startswith("-") for part in segments)
    assert all(
        len(number) <= 3 for part in segments for number in part.replace("-", "+").split("+") if number.isdigit()
    )


def test_splits_are_disjoint_down_to_the_steps(small):
    train = {question for record in lines(small, "train") for question in _questions(record)}
    for split in ("heldout", "test"):
        asked = {record.question.removesuffix("=") for record in lines(small, split)}
        assert len(asked) == 200
        assert not asked & train
        assert all(arithmetic.split_of(question) == split for question in asked)


def _questions(record):
    return (record.question + record.solution).split("=")[:-1]


def test_no_question_comes_twice(small):
    questions = [record.question for record in lines(small, "train")]
    assert len(set(questions)) == len(questions) == 4000


def test_tables_are_in_train_alone(small):
    assert not any(len(r.question) <= 4 for split in ("heldout", "test") for r in lines(small, split))


def test_bytes_do_not_depend_on_the_number_of_processes(small, tmp_path):
    arithmetic.run(recipe(), tmp_path, workers=1)
    assert contents(tmp_path) == contents(small)


def test_another_seed_gives_other_lines(small, tmp_path):
    arithmetic.run(recipe(seed=1), tmp_path)
    ours, theirs = ({r.question for r in lines(folder, "train")} for folder in (small, tmp_path))
    assert len(ours & theirs) < 0.8 * len(ours)


def test_an_example_is_a_pure_function_of_recipe_split_and_number():
    job = recipe(parts=WIDE)
    first = [arithmetic.example(job, "test", i) for i in range(20)]
    assert [arithmetic.example(job, "test", i) for i in reversed(range(20))] == first[::-1]


def test_a_file_has_the_bytes_that_records_write(small, tmp_path):
    records.write(tmp_path / "again.jsonl", records.read(small / "train-00000-of-00004.jsonl"))
    assert (tmp_path / "again.jsonl").read_bytes() == (small / "train-00000-of-00004.jsonl").read_bytes()


def test_a_space_too_small_is_an_error_and_not_an_endless_loop(tmp_path):
    parts = [Expressions(operations=(1, 1), digits=(1, 1), factor_digits=(1, 1), divisor_digits=(1, 1))]
    with pytest.raises(ValueError, match="new question"):
        arithmetic.run(recipe(parts=parts, heldout=0, test=0), tmp_path, workers=1)


def test_another_recipe_in_the_same_folder_is_an_error_that_says_what_differs(small):
    with pytest.raises(ValueError, match=r"another recipe: config\.seed is 0 there, 7 now"):
        arithmetic.run(recipe(seed=7), small)


def test_a_killed_run_makes_only_what_is_missing_and_the_same_bytes(tmp_path):
    (tmp_path / "recipe.py").write_text(
        "from mathjax.config import Arithmetic, Expressions\n"
        "def get_config():\n"
        "    return Arithmetic(parts=[Expressions(operations=(2, 5))], train=60_000, heldout=50, test=50, shards=12)\n"
    )
    command = [sys.executable, CHECKOUT / "scripts/make_data.py", f"--config={tmp_path / 'recipe.py'}"]

    def start(folder):
        return subprocess.Popen([*command, f"--workdir={folder}"], stderr=subprocess.DEVNULL, start_new_session=True)

    assert start(tmp_path / "whole").wait(120) == 0
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
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    kept = sum((tmp_path / "killed" / name).stat().st_mtime_ns == time for name, time in there.items())
    assert kept >= len(there) - 2  # those written, but not yet in the manifest, are made again
