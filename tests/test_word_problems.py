"""Word problems: every answer checked by executing, splits that share nothing, sentences that read well."""

import builtins
import dataclasses
import json
import keyword
import pathlib
import re
from collections import Counter
from fractions import Fraction

import pytest

from data_gen import word_problems
from data_gen.word_problems import job as jobs
from data_gen.word_problems import words
from data_gen.word_problems.stories import ASIDES, HELD, TEMPLATES
from data_gen.word_problems.template import GAP, NAME, STEP, Problem, Span
from mathjax import config, expression, records
from mathjax.sandbox.interpreter import interpret
from mathjax.verify import verify

JOB = config.WordProblems(train=1_000)
EQUATION = re.compile(r"<<([^=<>]+)=([^=<>]+)>>(\d+(?:\.\d+)?)")
BY_NAME = pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)


def examples(count, split="train", **settings):
    job = dataclasses.replace(JOB, **settings)
    return [word_problems.example(job, split, i) for i in range(count)]


@pytest.fixture(scope="module")
def made():
    """Records of each split."""
    return {split: examples(400, split) for split in jobs.SPLITS}


def drawn(template, split="train", count=3):
    below = jobs._chance(len(template.name))
    job = dataclasses.replace(JOB, numbers=1.0)
    split = "test" if template.name in HELD else split
    return [jobs._worded(jobs._problem(job, split, template, below), below) for _ in range(count)]


def printed(program):
    result = interpret(program)
    assert result is not None and result.error is None, program
    return Fraction(result.printed.strip())


# Answers.


def test_every_step_of_every_solution_is_right_and_the_last_one_is_the_answer(made):
    for record in (record for split in made.values() for record in split):
        steps = EQUATION.findall(record.solution)
        assert len(steps) == record.extra["steps"] == record.solution.count("<<")
        for formula, result, after in steps:
            assert expression.decimal(expression.value(formula)) == result == after
        assert record.solution.endswith(f"\n#### {record.answer}") and steps[-1][1] == record.answer
        assert verify(record, record.solution).correct


@pytest.mark.parametrize("split", jobs.SPLITS)
def test_the_program_of_an_example_prints_its_answer(made, split):
    programs = examples(400, split, style="pot")
    for words_, program in zip(made[split], programs, strict=True):
        assert (program.question, program.answer, program.style) == (words_.question, words_.answer, "pot")
        assert printed(program.solution) == Fraction(program.answer)
    for program in programs[:20]:
        assert verify(program, program.solution).correct


@BY_NAME
def test_all_ways_to_solve_a_problem_agree_and_have_different_equations(template):
    assert len(template.ways) >= 2
    for problem in drawn(template):
        found = [problem.work(way) for way in template.ways]
        assert len({answer for _, answer in found}) == 1
        equations = {tuple(step[:2] for line in lines for step in EQUATION.findall(line)) for lines, _ in found}
        assert len(equations) == len(template.ways)
        for way, (_, answer) in zip(template.ways, found, strict=True):
            assert printed(problem.program(way)) == answer


def test_a_program_divides_floats_as_floats():
    """25 shirts of $12 at 15% off cost 254.99999999999997 in floats, and // would take the 0.99 away."""
    template = next(one for one in TEMPLATES if one.name == "club_buys_shirts")
    told = dict(members=25, shirt=12, off=15, cars=26, wash=4, gift=76)
    problem = Problem(template, {name: Fraction(value) for name, value in told.items()})
    assert [printed(problem.program(way)) for way in template.ways] == [3] * len(template.ways)


def test_an_answer_that_is_not_the_problems_would_be_found():
    template = dataclasses.replace(TEMPLATES[0], solutions=(*TEMPLATES[0].solutions, ("{A} orders [n*11=all thing].",)))
    assert not jobs.fits(Problem(template, {"n": Fraction(5)}))


# Stories.


def test_there_are_templates_of_all_lengths_and_no_two_of_a_name_or_a_story():
    assert len(TEMPLATES) >= 60
    assert {template.steps for template in TEMPLATES} == set(range(1, 9))
    assert {template.steps for template in TEMPLATES if template.name in HELD} == set(range(1, 9))
    names = [template.name for template in TEMPLATES]
    assert len(set(names)) == len(names) and set(names) > HELD
    stories = [frozenset(GAP.sub("", template.story).lower().split()) for template in TEMPLATES]
    for i, one in enumerate(stories):
        for j, other in enumerate(stories[:i]):
            assert len(one & other) / len(one | other) < 0.45, (names[i], names[j])


@BY_NAME
def test_a_story_says_what_its_solutions_need_and_no_more(template):
    needed = set()
    for solution in template.solutions:
        known = set(template.givens)
        for sentence in solution:
            [(formula, name, _)] = STEP.findall(sentence)
            assert set(NAME.findall(formula)) <= known and name not in known, sentence
            assert not hasattr(builtins, name) and not keyword.iskeyword(name), name
            known.add(name)
        needed |= {name for sentence in solution for name in NAME.findall(STEP.findall(sentence)[0][0])}
    assert needed & set(template.givens) <= set(template.said), "not said"
    assert set(template.said) <= needed, "said, and not needed"
    assert any(isinstance(given, Span) for given in template.givens.values())


READS_BADLY = [
    r"\b[Aa] [aeiouAEIOU](?!ne\b|ni|s[eu])",  # a apple
    r"\b[Aa]n [^aeiouAEIOUh]",
    r"(?<![\d.])1 [a-z]+s\b",  # 1 apples
    r"[{}\[\]_]|  | [.,?]|\.\.|,\.",
    r"(?:^|[.?!] )[a-z]",  # a sentence that begins small
    r"\b(\w+) \1\b",
    r"childs|persons|foots|loafs|shelfs|boxs|ys\b(?<!days)(?<!always)(?<!keys)(?<!plays)(?<!pays)(?<!buys)(?<!trays)(?<!says)(?<!boys)",
]


@BY_NAME
def test_questions_and_solutions_read_well(template):
    for problem in drawn(template, count=8):
        lines, _ = problem.work(template.ways[-1])
        below = jobs._chance(7)
        for text in (jobs._with_aside(problem, below), *(EQUATION.sub(r"\3", line) for line in lines)):
            assert text[-1] in ".?"
            for pattern in READS_BADLY:
                assert not re.search(pattern, text), (pattern, text)
        assert problem.fill(template.question).endswith("?")


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("apple", "apples"),
        ("box", "boxes"),
        ("berry", "berries"),
        ("day", "days"),
        ("child", "children"),
        ("pair of socks", "pairs of socks"),
        ("loaf", "loaves"),
        ("comic book", "comic books"),
        ("glass", "glasses"),
        ("square meter", "square meters"),
        ("single drive", "single drives"),
    ],
)
def test_plurals(noun, many):
    assert words.plural(noun) == many
    assert words.said(Fraction(1), noun) == f"1 {noun}" and words.said(Fraction(3), noun) == f"3 {many}"


def test_a_sentence_that_does_not_matter_stands_in_the_wanted_share_of_questions():
    plain, all_ = examples(300, distractors=0.0), examples(300, distractors=1.0)
    for without, having in zip(plain, all_, strict=True):
        assert without.answer == having.answer and without.question != having.question
        assert len(having.question) > len(without.question)
    some = [record.question for record in examples(300, distractors=0.5)]
    share = sum(question not in {record.question for record in plain} for question in some) / 300
    assert 0.4 < share < 0.6
    assert len(set(ASIDES)) == len(ASIDES)


# Splits.


def test_splits_share_neither_templates_nor_numbers_nor_questions():
    made = {split: examples(700, split) for split in jobs.SPLITS}
    for said in ("template", "numbers", "question"):
        found = {
            split: {str(getattr(record, said, None) or record.extra[said]) for record in records_}
            for split, records_ in made.items()
        }
        assert not found["train"] & found["test"] and not found["heldout"] & found["test"]
        assert said == "template" or not found["train"] & found["heldout"]
    for record in made["train"]:
        if not any(how in record.question for how in ("half", "third", "quarter", "fifth", "sixth", "twice")):
            assert set(record.extra["numbers"]) <= set(re.findall(r"\d+\.[1-9]+|\d+(?:\.\d*[1-9])?", record.question))


@pytest.mark.parametrize("template", TEMPLATES[::5], ids=lambda template: template.name)
def test_the_same_numbers_are_of_one_split_whatever_the_story(template):
    problem = drawn(template, count=1)[0]
    again = dataclasses.replace(problem, persons=dict.fromkeys(problem.persons, ("Zoe", 0)))
    assert jobs.numbers_split(problem) == jobs.numbers_split(again)
    assert jobs.numbers_split(problem) == ("test" if template.name in HELD else "train")


# Recipes.


def test_an_example_is_a_function_of_recipe_split_and_number():
    assert examples(20) == examples(20)
    assert [word_problems.example(JOB, "train", i) for i in (19, 3)] == [examples(20)[19], examples(20)[3]]
    assert examples(20) != examples(20, seed=1)


@pytest.mark.parametrize("steps", [(1, 1), (2, 3), (6, 8)])
def test_solutions_have_templates_with_the_wanted_number_of_steps(steps):
    found = {record.extra["template"] for record in examples(60, steps=steps)}
    wanted = {one.name for one in TEMPLATES if steps[0] <= one.steps <= steps[1]}
    assert found <= wanted and len(found) >= min(len(wanted) - 3, 20)


def test_numbers_are_whole_and_larger_where_that_is_wanted():
    whole = examples(150, decimals=False, distractors=0.0)
    assert not [record.question for record in whole if re.search(r"\d\.\d", record.question + record.solution)]
    assert any("." in record.answer for record in examples(150))

    def largest(found):
        return sum(max(map(float, record.extra["numbers"])) for record in found) / len(found)

    assert largest(examples(150, numbers=4.0, distractors=0.0)) > 1.5 * largest(examples(150, distractors=0.0))


def test_a_recipe_that_leaves_nothing_says_so():
    with pytest.raises(ValueError, match="steps must be"):
        config.check(dataclasses.replace(JOB, steps=(3, 2)))
    with pytest.raises(ValueError, match="no template of test has 7 to 7 steps in whole numbers"):
        examples(1, "test", steps=(7, 7), decimals=False)


def test_a_corpus_is_whole_whoever_makes_it_and_is_gone_on_with(tmp_path):
    job = config.WordProblems(train=210, heldout=30, test=30, shards=3)
    manifest = word_problems.run(job, tmp_path / "one", workers=1)
    word_problems.run(job, tmp_path / "two", workers=2)
    names = sorted(path.name for path in (tmp_path / "one").glob("*.jsonl"))
    assert names == sorted(manifest["files"]) and len(names) == 5
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    (tmp_path / "two" / names[-1]).unlink()
    word_problems.run(job, tmp_path / "two", workers=1)
    assert (tmp_path / "one" / names[-1]).read_bytes() == (tmp_path / "two" / names[-1]).read_bytes()
    found = [record for name in names for record in records.read(tmp_path / "one" / name)]
    assert len({record.question for record in found}) == len(found) == 270
    told = json.loads((tmp_path / "one" / "manifest.json").read_text())
    counted = Counter()
    for facts in told["files"].values():
        counted.update(facts["templates"])
    assert counted == Counter(record.extra["template"] for record in found)


def test_the_recipe_in_configs_is_a_job():
    path = pathlib.Path(__file__).parents[1] / "configs" / "word_problems.py"
    space = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    config.check(space["get_config"]())
