"""Benchmarks: how their files are read and their questions grouped."""

import json

import pytest

from data_gen.sources import job
from mathjax import config, records, verify
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
    found = benchmarks.read(asked(path, kind="mathglm", rows=4))
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
        benchmarks.read(asked(path, kind="mathglm", rows=-1))


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
        benchmarks.read(asked(tmp_path / name, kind=kind, rows=-1))


def test_an_empty_file_and_an_unknown_kind_are_errors(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(ValueError, match="benchmark exam: no records in"):
        benchmarks.read(asked(tmp_path / "empty.jsonl"))
    with pytest.raises(ValueError, match=r"no kind 'algebra'; there are arithmetic, mathglm, .*svamp"):
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


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "2 questions in .*, 1,319 are published; its setting rows says"),
        ({"rows": 3}, "2 questions in .*, not 3"),
        ({"rows": 2}, None),
        ({"rows": -1}, None),
    ],
)
def test_a_wrong_number_of_questions_is_an_error_unless_it_is_said(tmp_path, settings, said):
    records.write(tmp_path / "two.jsonl", [Record(question="1?", answer="1"), Record(question="2?", answer="2")])
    benchmark = asked(tmp_path / "two.jsonl", kind="gsm8k", **settings)
    if said is None:
        assert len(benchmarks.read(benchmark)) == 2
    else:
        with pytest.raises(ValueError, match=said):
            benchmarks.read(benchmark)


def test_questions_are_chosen_by_their_ids_in_the_order_of_the_file(tmp_path):
    found = [Record(question=f"{i}?", answer="1", extra={"unique_id": f"test/algebra/{i}.json"}) for i in range(4)]
    records.write(tmp_path / "math.jsonl", found)
    (tmp_path / "ids.txt").write_text("test/algebra/3.json\ntest/algebra/1.json\n")
    benchmark = asked(tmp_path / "math.jsonl", kind="math", rows=4, ids=str(tmp_path / "ids.txt"))
    assert [record.question for record in benchmarks.read(benchmark)] == ["3?", "1?"]
    (tmp_path / "ids.txt").write_text("test/algebra/9.json\n")
    with pytest.raises(ValueError, match=r"1 ids of .*'test/algebra/9\.json' is the first"):
        benchmarks.read(benchmark)


def test_a_program_beside_a_question_does_not_say_how_it_is_asked(tmp_path):
    records.write(tmp_path / "hard.jsonl", [Record(question="?", answer="1", solution="print(1)", style="pot")])
    (found,) = benchmarks.read(asked(tmp_path / "hard.jsonl", kind="gsm_hard", rows=1))
    assert found.style == "cot"


MATH = [  # rows of our own, in the published form
    {"problem": "What is $1+1$?", "level": "Level 1", "type": "Algebra", "solution": "It is $\\boxed{2}$."},
    {"problem": "What is $2/4$?", "level": "Level 5", "type": "Number Theory", "solution": "$\\boxed{\\frac12}$"},
]


def test_math_is_grouped_by_level_and_subject(tmp_path):
    (tmp_path / "math.jsonl").write_text("".join(json.dumps(row) + "\n" for row in MATH))
    records.write(tmp_path / "records.jsonl", job.read("math", tmp_path / "math.jsonl"))
    found = benchmarks.read(asked(tmp_path / "records.jsonl", kind="math", rows=2))
    groups = benchmarks.BENCHMARKS["math"].groups
    assert [[label(record) for label in groups.values()] for record in found] == [
        [["Level 1"], ["Algebra"]],
        [["Level 5"], ["Number Theory"]],
    ]
    assert [record.answer for record in found] == ["2", "\\frac12"]


SETS = [
    ("gsm8k", "gsm8k/test.jsonl", 0, {"cot"}, "steps"),
    ("gsm8k_backward", "gsm8k/backward_test.jsonl", 0, {"cot"}, None),
    ("gsm_hard", "gsm_hard/test.jsonl", 0, {"cot"}, None),
    ("aqua", "aqua/test.jsonl", 0, {"choice"}, None),
    ("numglue", "numglue/test.json", 0, {"cot", "choice"}, "type"),
    ("svamp", "svamp/test_part1.jsonl", 552, {"cot"}, "type"),
    ("deepmind_mathematics", "deepmind_mathematics/test.json", 0, {"cot"}, None),
    ("simuleq", "simuleq/test.json", 0, {"cot"}, None),
    ("sat_math", "sat_math/test.json", 0, {"choice"}, None),
    ("mmlu_math", "mmlu_math/test.json", 0, {"choice"}, "subject"),
    ("asdiv", "asdiv/test_part1.jsonl", 1_707, {"cot"}, "solution"),
    ("mawps", "mawps/test.jsonl", 0, {"cot"}, "part"),
    ("theoremqa", "theoremqa/test.json", 0, {"cot", "choice"}, "kind"),
]


@pytest.mark.parametrize(("kind", "path", "rows", "styles", "group"), SETS, ids=[row[0] for row in SETS])
def test_the_public_sets_have_their_sizes_styles_and_groups(public_data, tmp_path, kind, path, rows, styles, group):
    """The published files, as records; SVAMP and ASDiv are there in part, so their rows are said."""
    records.write(tmp_path / "records.jsonl", job.read(kind, public_data / path))
    found = benchmarks.read(asked(tmp_path / "records.jsonl", kind=kind, rows=rows))
    assert {record.style for record in found} == styles
    told = {
        name: {one for record in found for one in label(record)}
        for name, label in benchmarks.BENCHMARKS[kind].groups.items()
    }
    assert group is None or len(told[group]) > 1


def test_a_benchmark_is_scored_strictly_and_by_the_rules_of_its_published_scores():
    assert benchmarks.protocols("gsm8k", "cot", []) == ["strict", *benchmarks.GSM8K]
    assert benchmarks.protocols("numglue", "choice", []) == ["strict", "mammoth_numglue"]
    assert benchmarks.protocols("gsm8k", "pot", []) == ["strict", "mammoth"]
    assert benchmarks.protocols("aqua", "choice", ["mammoth_choice", "rft"]) == ["mammoth_choice"]
    for name, kind in benchmarks.BENCHMARKS.items():
        assert all(any(rule in verify.PROTOCOLS[style] for style in kind.styles) for rule in kind.protocols), name


def test_mammoths_nine_sets_and_their_means():
    assert benchmarks.DOMAINS == {
        "in": ("gsm8k", "math", "aqua", "numglue"),
        "out": ("svamp", "deepmind_mathematics", "simuleq", "sat_math", "mmlu_math"),
    }
    nine = dict(
        zip(
            sum(benchmarks.DOMAINS.values(), ()),
            (0.536, 0.315, 0.445, 0.612, 0.677, 0.463, 0.412, 0.427, 0.426),
            strict=True,
        )
    )
    found = benchmarks.means(nine)
    assert found["overall"]["mean"] == pytest.approx(0.479, abs=5e-4)  # the paper's table, MAmmoTH-7B
    assert found["in_domain"]["mean"] == pytest.approx(0.477, abs=5e-4)
    assert found["out_of_domain"]["mean"] == pytest.approx(0.481, abs=5e-4)
    assert benchmarks.means({"svamp": 0.5, "asdiv": 1.0})["overall"] == {
        "mean": 0.5,
        "sets": ["svamp"],
        "missing": [name for name in nine if name != "svamp"],
    }
    assert benchmarks.means({"asdiv": 1.0}) == {}
