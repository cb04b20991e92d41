"""Records from public data sets."""

import json
from fractions import Fraction

import pytest

from data_gen import public
from mathjax import config, expression, records


def published(tmp_path, *solutions):
    path = tmp_path / "test.jsonl"
    path.write_text("".join(json.dumps({"question": "?", "answer": text}) + "\n" for text in solutions))
    return path


def test_every_distinct_left_side_becomes_one_record_in_order_of_appearance(tmp_path):
    first = "He has 3 + 4 = <<3+4=7>>7, then <<7*2=14>>14.\n#### 14"
    path = published(tmp_path, first, "<<3 + 4 = 7>> <<3+4=7.0>> <<4+3=7>>")
    found, counts = public.gsm8k_equations(path)
    assert [(record.question, record.answer) for record in found] == [("3+4=", "7"), ("7*2=", "14"), ("4+3=", "7")]
    assert found[0].extra == {"written": ["7", "7.0"], "times": 3}
    assert (counts["annotations"], counts["distinct"]) == (5, 3)
    assert {record.style for record in found} == {"arithmetic"}


@pytest.mark.parametrize(
    ("span", "answer"),
    [
        ("1/3=0.333", "(1/3)"),
        ("-1/3=-.33", "(-1/3)"),
        ("5/4=1.3", "1.25"),
        (".5*3=1.5", "1.5"),
        ("7=7", "7"),
        ("7//2=3", "3"),
        ("2*3=6=6", "6"),
        ("2*3=", "6"),
    ],
)
def test_the_answer_is_the_exact_value_of_the_left_side(tmp_path, span, answer):
    (record,), _ = public.gsm8k_equations(published(tmp_path, f"<<{span}>>"))
    assert (record.question, record.answer) == (span.split("=")[0] + "=", answer)


def test_what_is_passed_over_or_not_exact_is_counted(tmp_path):
    spans = ["1/3=0.333", "2/3=0.7", "1/3=.33", "5%=x", "3 apples=3", "7", "2+2=4", "1/0=0", "6/2=three"]
    _, counts = public.gsm8k_equations(published(tmp_path, *(f"<<{span}>>" for span in spans)))
    assert counts == {
        "annotations": 9,
        "without_equals": 1,
        "not_computable": 2,
        "distinct": 5,
        "rounded": 1,
        "false": 1,
        "unreadable": 2,
    }


def test_a_line_that_is_not_gsm8ks_is_named(tmp_path):
    path = published(tmp_path, "<<1+1=2>>")
    path.write_text(path.read_text() + '{"question": "?"}\n')
    with pytest.raises(ValueError, match=r"test.jsonl, line 2: wanted question and answer"):
        public.gsm8k_equations(path)


def test_a_missing_file_says_what_is_there_instead(tmp_path):
    published(tmp_path, "<<1+1=2>>")
    with pytest.raises(FileNotFoundError, match=r"tset\.jsonl: no such file; .* holds test\.jsonl"):
        public.gsm8k_equations(tmp_path / "tset.jsonl")


def test_the_job_writes_records_and_a_manifest_and_the_same_ones_again(tmp_path):
    job = config.GSM8KEquations(path=str(published(tmp_path, "<<1+1=2>> <<1/3=0.33>>")))
    manifest = public.run(job, tmp_path / "out")
    assert [record.question for record in records.read(tmp_path / "out" / "records.jsonl")] == ["1+1=", "1/3="]
    assert manifest == json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["counts"]["rounded"] == 1
    assert public.run(job, tmp_path / "again") == manifest


@pytest.mark.parametrize(("split", "annotations", "distinct"), [("test", 4282, 2846), ("train", 23716, 10772)])
def test_no_equation_of_gsm8k_is_passed_over(public_data, split, annotations, distinct):
    found, counts = public.gsm8k_equations(public_data / "gsm8k" / f"{split}.jsonl")
    assert (counts["annotations"], counts["distinct"], len(found)) == (annotations, distinct, distinct)
    assert (counts["without_equals"], counts["not_computable"], counts["false"]) == (0, 0, 0)
    for record in found[::50]:
        assert Fraction(expression.value(record.answer)) == expression.value(record.question.removesuffix("="))
