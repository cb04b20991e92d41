"""Rows in each published format as records."""

import json

import pytest

from data_gen.sources import choices, solved
from data_gen.sources.table import DATA_SETS
from mathjax.records import Record

CHOICES = "How much?\nAnswer Choices: (A) 21 (B) f(x) (C) 3 (D) None"


def records(name, row):
    return DATA_SETS[name].reader(json.loads(json.dumps(row)), name)


def record(name, **row):
    (found,) = records(name, row)
    return found


def expected(**fields):
    return Record(**{"extra": {}} | fields)


@pytest.mark.parametrize(("question", "answer"), [("question", "answer"), ("query", "response")])
def test_gsm8k_keeps_its_annotations_and_its_last_line(question, answer):
    text = "48/2 = <<48/2=24>>24\n#### 1,024"
    assert record("gsm8k", **{question: "How?", answer: text}) == expected(
        question="How?", answer="1,024", solution=text, source="gsm8k"
    )


def test_math_has_its_answer_in_the_last_box():
    row = {"problem": "P", "level": "Level 5", "type": "Algebra", "solution": "\\boxed{1}, so $\\boxed{\\frac{1}{2}}$."}
    found = record("math", **row)
    assert (found.question, found.answer, found.solution) == ("P", "\\frac{1}{2}", row["solution"])
    assert found.extra == {"level": "Level 5", "type": "Algebra"}


def test_math_in_wizardmaths_form_and_with_an_answer():
    found = record("math", idx=0, instruction="P", output="$\\boxed{7}$", input="", type="Algebra")
    assert (found.question, found.answer, found.extra) == ("P", "7", {"idx": 0, "input": "", "type": "Algebra"})
    assert record("math500", problem="P", solution="It is 7.", answer="7", subject="Algebra").answer == "7"


def test_metamath_has_its_answer_behind_the_last_phrase():
    found = record("metamathqa", query="Q", response="The answer is: 1. So\nThe answer is: 1/2", type="GSM_Rephrased")
    assert (found.question, found.answer, found.extra) == ("Q", "1/2", {"type": "GSM_Rephrased"})


def test_mathinstruct_has_the_fourteen_sources_of_its_file():
    styles = list(solved.SOURCES.values())
    assert (len(styles), styles.count("cot"), styles.count("pot")) == (14, 8, 6)
    assert all(name.split("/")[1].lower() == style for name, style in solved.SOURCES.items())


@pytest.mark.parametrize(
    ("output", "answer"),
    [("so 3. The answer is 3.5.", "3.5"), ("The answer is $x^2$", "$x^2$"), ("so it is 3.", None)],
)
def test_mathinstruct_in_words_has_the_answer_that_it_says(output, answer):
    found = record("mathinstruct", source="data/CoT/gsm_train.json", instruction="Q", output=output)
    assert (found.style, found.answer, found.solution) == ("cot", answer, output)
    assert found.source == "mathinstruct/data/CoT/gsm_train.json"


def test_mathinstruct_with_answer_choices_is_a_choice():
    output = "Let's solve the multi-choice question step by step.\nThe answer is B."
    found = record("mathinstruct", source="data/CoT/aqua_rat.json", instruction=CHOICES, output=output)
    assert (found.style, found.question, found.answer) == ("choice", "How much?", "B")
    assert found.options == ("21", "f(x)", "3", "None")


def test_a_program_of_mathinstruct_keeps_its_question_and_has_no_answer():
    question = f"{CHOICES} Let's write a Python program to solve it."
    found = record("mathinstruct", source="data/PoT/aqua_rat_filtered.json", instruction=question, output="print(3)")
    assert (found.style, found.question, found.answer, found.options) == ("pot", question, None, None)


@pytest.mark.parametrize(("name", "style"), [("svamp_reft_cot", "cot"), ("svamp_reft_pot", "pot")])
def test_refts_files_are_told_apart_by_name(name, style):
    row = {"item_id": "svamp_0", "question": "Q", "answer_cot": "S", "answer_value": "203.0"}
    assert record(name, **row) == expected(
        question="Q", answer="203.0", solution="S", style=style, source=name, extra={"item_id": "svamp_0"}
    )


def test_openmathinstruct_is_read():
    row = {"problem": "Q", "generated_solution": "S", "expected_answer": "2", "problem_source": "math"}
    found = record("openmathinstruct2", **row)
    assert (found.question, found.solution, found.answer) == ("Q", "S", "2")


@pytest.mark.parametrize(
    ("name", "row", "answer", "solution"),
    [
        ("mathglm_mwp", {"question": "Q", "answer": "x=2.75-1(5/6)=11/12"}, "11/12", "x=2.75-1(5/6)=11/12"),
        ("ape210k", {"id": "1", "original_text": "Q", "ans": "900", "equation": "x=60*15"}, "900", "x=60*15"),
    ],
)
def test_chinese_word_problems_have_the_equation_as_solution(name, row, answer, solution):
    found = record(name, **row)
    assert (found.question, found.answer, found.solution) == ("Q", answer, solution)


def test_gsm_hard_is_solved_by_its_program():
    found = record("gsm_hard", input="Q", code="\ndef solution():\n    return 1", target=-9867630.0)
    assert (found.style, found.answer, found.solution) == ("pot", "-9867630.0", "\ndef solution():\n    return 1")


def test_gsm8k_backward_has_two_shapes():
    shapes = {"output": "O"}, {"original_answer": "7", "inv_question_pred_answer": "I", "pred_inv_answer_cleaned": "8"}
    for shape in shapes:
        found = record("gsm8k_backward", question="x?", answer="8", original_question="?", **shape)
        assert (found.answer, found.solution, found.extra) == ("8", None, {"original_question": "?", **shape})


def test_svamp_and_asdiv_join_body_and_question():
    row = {"ID": "chal-1", "Body": "Tom has 3.", "Question": "How many?", "Equation": "3", "Answer": 3.0}
    assert record("svamp", **row) == expected(
        question="Tom has 3. How many?", answer="3.0", source="svamp", extra={"ID": "chal-1", "Equation": "3"}
    )
    row = {"id": "n1", "source": "http://k5", "body": "Tom has 3.", "question": "How many?", "answer": "3 (apples)"}
    assert record("asdiv", **row) == expected(
        question="Tom has 3. How many?", answer="3 (apples)", source="asdiv", extra={"id": "n1", "source": "http://k5"}
    )


def test_mawps_names_the_subset_where_the_row_does():
    assert record("mawps", input="Q", target=39).answer == "39"
    assert record("mawps", input="Q", target=43.0, type="singleeq", idx=0).source == "mawps/singleeq"


@pytest.mark.parametrize(
    ("value", "answer", "style"),
    [(2.5, "2.5", "cot"), (True, "True", "cot"), ([-1, 6], "[-1, 6]", "cot"), ("(c)", "(c)", "choice")],
)
def test_theoremqas_answers_are_of_many_kinds(value, answer, style):
    kind = "option" if style == "choice" else "any"
    found = record("theoremqa", Question="Q", Answer=value, Answer_type=kind, Picture=None)
    assert (found.answer, found.style) == (answer, style)


def test_numglue_with_answer_choices_is_a_choice():
    found = record("numglue", question="Which? \nAnswer Choices: (A) web (B) tree", answer="B", type="Type_3")
    assert (found.style, found.question, found.options, found.answer) == ("choice", "Which? ", ("web", "tree"), "B")
    assert record("numglue", question="How many?", answer=3, type="Type_1").style == "cot"


@pytest.mark.parametrize("options", [["A)5(√3 + 1)", "B)6"], "['A)5(√3 + 1)', 'B)6']"])
def test_aqua_keeps_its_options_as_published(options):
    found = record("aqua", question="Q", options=options, rationale="R", correct="B")
    assert found == expected(
        question="Q", answer="B", solution="R", style="choice", source="aqua", options=("A)5(√3 + 1)", "B)6")
    )


def test_sat_math_has_two_forms():
    row = {"passage": "P", "question": "Q", "options": ["(A)2", "(B)4"], "label": "B", "other": {"solution": "S"}}
    found = record("sat_math", **row)
    assert (found.question, found.solution, found.options, found.answer) == ("P\nQ", "S", ("(A)2", "(B)4"), "B")
    found = record("sat_math", question=CHOICES, answer="D")
    assert (found.question, found.options, found.answer) == ("How much?", ("21", "f(x)", "3", "None"), "D")


def test_mmlu_has_two_forms():
    found = record("mmlu_math", question="Q", subject="algebra", choices=["p", "q", "r", "s"], answer=2)
    assert (found.answer, found.options, found.extra) == ("C", ("p", "q", "r", "s"), {"subject": "algebra"})
    assert found == record("mmlu_math", cells=["Q", "p", "q", "r", "s", "C"], file="algebra_dev")


@pytest.mark.parametrize("question", ["How much?", "Choose.\nAnswer Choices: 1 or 2", "(A) 1 (B) 2"])
def test_a_question_without_options_is_left_whole(question):
    assert choices.split(question) == (question, None)


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("gsm8k", {"question": "Q"}, "no column 'answer' or 'response'; there are none"),
        ("gsm8k", {"question": " ", "answer": "#### 1"}, "column 'question' must be text, got ' '"),
        ("gsm8k", {"question": "Q", "answer": "It is 7."}, "no answer behind '#### ': 'It is 7.'"),
        ("math", {"problem": "Q", "solution": "It is 7."}, "no box with an answer in the solution"),
        ("metamathqa", {"query": "Q", "response": "7"}, "no answer behind 'The answer is:'"),
        ("mathinstruct", {"source": "data/CoT/x.json", "instruction": "Q", "output": "1"}, "must be one of data/CoT/"),
        ("svamp", {"Body": "B", "Question": "Q", "Answer": None}, "column 'Answer' must be an answer, got None"),
        ("aqua", {"question": "Q", "options": ["A)1"], "rationale": "R", "correct": "B"}, "letter of one of 1 options"),
        ("aqua", {"question": "Q", "options": "__import__('os')", "rationale": "R"}, "'options' must be a list"),
        ("mmlu_math", {"question": "Q", "choices": ["p"], "answer": 1}, "the place of one of 1 choices, got 1"),
        ("mmlu_math", {"question": "Q", "choices": ["p"], "answer": True}, "must be a whole number, got True"),
        ("mmlu_math", {"cells": ["Q", "A"], "file": "x"}, "four choices and a letter, got 2 cells"),
        ("rho_outputs", {"question": "Q", "gt": "1", "code": ["a"], "score": []}, "1 outputs need as many scores"),
        ("openai_solutions", {"question": "Q", "ground_truth": "A"}, "no answer behind 'A: '"),
    ],
)
def test_a_row_of_another_form_is_refused(name, row, message):
    with pytest.raises(ValueError, match=message):
        records(name, row)
