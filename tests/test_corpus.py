"""Which questions are of a form that a corpus holds."""

import json

import pytest

from data_gen import arithmetic
from mathjax import config, records
from mathjax.evaluate import corpus
from mathjax.records import Record

PART = dict(operations=(1, 2), digits=(1, 3), factor_digits=(1, 2), divisor_digits=(1, 2), limit=4)


def covered(question, division="decimal", **settings):
    return corpus.covered(question, config.Expressions(**PART | settings), division)


# the question, settings under which it is covered, a change of them under which it is not
CASES = [
    ("12+345=", {}, {"digits": (1, 2)}),
    ("12+345=", {}, {"add": 0.0}),
    ("12+3+4=", {}, {"operations": (1, 1)}),
    ("12+3=", {}, {"operations": (2, 3)}),
    ("999*99=", {"limit": 5}, {"limit": 4}),
    ("99*12=", {}, {"factor_digits": (1, 1)}),
    ("7*120=", {"factor_digits": (1, 3)}, {}),
    ("240/12=", {}, {"divisor_digits": (1, 1)}),
    ("5/2=", {"quotient_places": 1}, {}),
    ("7.5/5=", {"decimal": 1.0}, {}),
    ("1/8=", {"quotient_places": 3}, {"quotient_places": 2}),
    ("1.5*3=", {"decimal": 1.0}, {}),
    ("1.125*3=", {"decimal": 1.0, "places": (1, 3)}, {"places": (1, 2)}),
    ("20%*3=", {"percent": 1.0}, {}),
    ("-5+3=", {"negative": 0.1}, {}),
    ("(1+2)*3=", {"brackets": 0.5}, {}),
    ("(2/3)+1=", {"fraction": 1.0, "division": "fraction"}, {"fraction": 0.0}),
    ("(13/17)+1=", {"fraction": 1.0, "division": "fraction"}, {"fraction_digits": (1, 1)}),
    ("(20/100)*25=", {"brackets": 0.5, "quotient_places": 1, "divisor_digits": (1, 3)}, {"brackets": 0.0}),
    ("2^3=", {"power": 1.0}, {}),
    ("2^4=", {"power": 1.0, "exponent": (0, 4)}, {"exponent": (0, 3)}),
    ("12^2=", {"power": 1.0, "base_digits": (1, 2)}, {"base_digits": (1, 1)}),
    ("2/3*6=", {"division": "fraction"}, {"division": "decimal"}),  # a value on the way is no decimal
]


@pytest.mark.parametrize(("question", "settings", "change"), CASES)
def test_a_question_is_covered_within_the_ranges_and_not_without(question, settings, change):
    assert covered(question, **settings)
    assert not covered(question, **(settings | change if change else {}))


@pytest.mark.parametrize("question", [".5*3=", "1.50+2=", "27=", "+2=", "007+1=", "7//2=", "1-(-2)="])
def test_what_no_part_writes_is_never_covered(question):
    assert not covered(question, operations=(1, 3), decimal=1.0, negative=0.5, brackets=0.5)


def test_one_part_of_one_corpus_must_cover_the_whole_question():
    sums = config.Expressions(subtract=0, multiply=0, divide=0)
    products = config.Expressions(add=0, subtract=0, divide=0)
    covers = corpus.covers([config.Arithmetic(parts=[sums], train=1), config.Arithmetic(parts=[products], train=1)])
    assert covers("1+2=")
    assert covers("3*2=")
    assert not covers("1+3*2=")
    assert corpus.covers([]) is None


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        ({}, 1.0),
        ({"decimal": 1.0, "negative": 0.3, "brackets": 0.5, "quotient_places": 2, "digits": (1, 4)}, 0.99),
        ({"operations": (1, 5), "fraction": 1.0, "power": 0.5, "brackets": 0.5, "negative": 0.2}, 0.99),
        ({"decimal": 1.0, "percent": 1.0, "quotient_places": 1}, 0.99),
    ],
)
def test_what_a_recipe_draws_is_covered_by_it(settings, least):
    part = config.Expressions(**settings)
    job = config.Arithmetic(parts=[part], train=1000, division="fraction" if part.fraction else "decimal")
    covers = corpus.covers([job])
    drawn = [arithmetic.example(job, "train", i).question for i in range(300)]
    assert sum(map(covers, drawn)) >= least * len(drawn)


def saved(folder, recipe):
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"recipe": json.loads(recipe)}))
    return str(folder)


def test_recipes_are_read_from_the_manifests_beside_the_training_files(tmp_path):
    job = config.Arithmetic(parts=[config.Expressions(digits=(1, 5))], train=10)
    folder = saved(tmp_path / "corpus", config.to_json(job))
    other = saved(tmp_path / "other", config.to_json(config.GSM8KEquations(path="test.jsonl")))
    sources = [f"{folder}/train-*.jsonl", f"{folder}/more.jsonl", f"{other}/records.jsonl", f"{tmp_path}/none/x.jsonl"]
    assert corpus.recipes([], sources) == [job]
    assert corpus.recipes([folder]) == [job]
    assert corpus.recipes([folder], [f"{other}/records.jsonl"]) == [job]


def test_a_named_folder_without_a_corpus_is_an_error_that_says_what_is_there(tmp_path):
    other = saved(tmp_path / "other", config.to_json(config.GSM8KEquations(path="test.jsonl")))
    with pytest.raises(ValueError, match=r"other was not made by data_gen\.arithmetic"):
        corpus.recipes([other])
    with pytest.raises(FileNotFoundError, match=r"wanted a corpus with a manifest.json, found \['other'\]"):
        corpus.recipes([str(tmp_path)])


def test_what_the_training_records_hold_is_found_in_questions_and_in_later_steps(tmp_path):
    rows = [
        Record(question="1+2*3=", solution="1+6=7", answer="7", style="arithmetic"),
        Record(question="4-4=", solution="0", answer="0", style="arithmetic"),
    ]
    records.write(tmp_path / "train-0.jsonl", rows[:1])
    records.write(tmp_path / "train-1.jsonl", rows[1:])
    asked = {"1+2*3=", "1+6=", "4-4=", "4-3=", "6+1="}
    assert corpus.shown(asked, [f"{tmp_path}/train-*.jsonl"]) == {"1+2*3=", "1+6=", "4-4="}
    assert corpus.shown(asked, [f"{tmp_path}/train-0.jsonl"]) == {"1+2*3=", "1+6="}
    assert corpus.shown(asked, [f"{tmp_path}/none.jsonl"]) is None


def test_the_parts_of_a_benchmark_are_those_that_can_be_told():
    covers = {"1+1=", "2+2="}.__contains__
    parts = corpus.parts(covers, {"2+2=", "1000+1="})
    assert {name: [q for q in ("1+1=", "2+2=", "1000+1=", "1000+2=") if holds(q)] for name, holds in parts.items()} == {
        "covered": ["1+1=", "2+2="],
        "not_covered": ["1000+1=", "1000+2="],
        "covered_unseen": ["1+1="],
    }
    assert set(corpus.parts(None, set())) == {"unseen"}
    assert corpus.parts(None, None) == {}
