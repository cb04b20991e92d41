"""Benchmarks: how their files are read and their questions grouped."""

import pytest

from mathjax import config, records
from mathjax.evaluate import benchmarks
from mathjax.records import Record

MATHGLM = """4849+5090=
(4/72)+(95/72)=
118%+1591+-2454+[(9830%/3901.54129)]=

-5846*[(-9047*5092%)-7050%]/-9533.8
"""


def asked(path, **settings):
    return config.Benchmark(name="exam", path=str(path), **settings)


def test_mathglms_format_is_an_expression_a_line(tmp_path):
    path = tmp_path / "test.txt"
    path.write_text(MATHGLM)
    found = benchmarks.read(asked(path, kind="mathglm"))
    assert [record.question for record in found] == [
        "4849+5090=",
        "(4/72)+(95/72)=",
        "118%+1591+-2454+[(9830%/3901.54129)]=",
        "-5846*[(-9047*5092%)-7050%]/-9533.8=",
    ]
    assert {record.style for record in found} == {"arithmetic"}


def test_a_line_that_is_no_expression_is_named(tmp_path):
    path = tmp_path / "test.txt"
    path.write_text("1+1=\ntwo=\n")
    with pytest.raises(ValueError, match=r"test\.txt, line 2: not an arithmetic expression"):
        benchmarks.read(asked(path, kind="mathglm"))


def test_records_are_read_up_to_the_limit(tmp_path):
    path = tmp_path / "test.jsonl"
    records.write(path, [Record(question=f"{i}+1=", style="arithmetic") for i in range(5)])
    assert [record.question for record in benchmarks.read(asked(path, limit=2))] == ["0+1=", "1+1="]
    assert len(benchmarks.read(asked(path))) == len(benchmarks.read(asked(path, limit=9))) == 5


def test_records_of_another_style_are_an_error(tmp_path):
    path = tmp_path / "test.jsonl"
    records.write(path, [Record(question="1+1=", style="arithmetic"), Record(question="How many?")])
    with pytest.raises(
        ValueError, match=r"benchmark exam: record 1 of .* is of style 'cot', not 'arithmetic': 'How many"
    ):
        benchmarks.read(asked(path))


@pytest.mark.parametrize(("name", "kind"), [("none.jsonl", "arithmetic"), ("none.txt", "mathglm")])
def test_a_missing_file_is_an_error_that_names_it(tmp_path, name, kind):
    with pytest.raises(FileNotFoundError, match=r"benchmark exam: .*none"):
        benchmarks.read(asked(tmp_path / name, kind=kind))


def test_an_empty_file_and_an_unknown_kind_are_errors(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(ValueError, match="benchmark exam: no records in"):
        benchmarks.read(asked(tmp_path / "empty.jsonl"))
    with pytest.raises(ValueError, match="no kind 'algebra'; there are arithmetic, mathglm"):
        benchmarks.read(asked(tmp_path / "empty.jsonl", kind="algebra"))


@pytest.mark.parametrize(
    ("question", "labels"),
    [
        ("12+345-7=", {"operator": ["+", "-"], "operations": [2], "digits": [3], "format": ["integer"]}),
        ("7=", {"operator": ["none"], "operations": [0], "digits": [1], "format": ["integer"]}),
        (
            "-1.5*20%=",
            {"operator": ["*"], "operations": [1], "digits": [2], "format": ["decimal", "negative", "percent"]},
        ),
    ],
)
def test_questions_are_grouped_by_their_form(question, labels):
    record = Record(question=question, style="arithmetic")
    assert {name: label(record) for name, label in benchmarks.ARITHMETIC.items()} == labels


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".hidden", "a b"])
def test_a_benchmark_is_called_by_what_can_name_a_file(name):
    with pytest.raises(ValueError, match="name must be letters"):
        config.check(config.Benchmark(name=name, path="x"))


def test_two_benchmarks_of_one_name_are_an_error():
    with pytest.raises(ValueError, match="benchmarks must have names of their own, got exam, exam"):
        config.check(config.Evaluate(checkpoint="runs/a", benchmarks=[asked("x"), asked("y")]))
