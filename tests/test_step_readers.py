"""Rows with labelled steps, and outputs of models, as records."""

import json

import pytest

from data_gen.sources.table import DATA_SETS


def records(name, **row):
    return DATA_SETS[name].reader(json.loads(json.dumps(row)), name)


def completion(text, rating):
    return {"text": text, "rating": rating, "flagged": False}


def rated(chosen, *completions, human=None):
    return {"completions": list(completions) or None, "human_completion": human, "chosen_completion": chosen}


def prm800k(*steps):
    question = {"problem": "P", "ground_truth_answer": "7"}
    (found,) = records("prm800k", labeler="l", question=question, label={"steps": steps, "finish_reason": "solution"})
    return found


def test_prm800k_follows_the_completions_that_were_chosen():
    found = prm800k(rated(0, completion("a", 1)), rated(1, completion("b", -1), completion("c\n\nd", 0)))
    assert (found.question, found.answer, found.solution) == ("P", "7", "a\nc\n\nd")
    assert (found.step_labels, found.extra["steps"]) == ((1, 0), ["a", "c\n\nd"])
    assert found.extra["label"]["steps"][1]["completions"][0]["text"] == "b"


def test_prm800k_takes_a_step_of_the_labeller_for_right():
    found = prm800k(rated(None, completion("a", -1), human=completion("b", None)), rated(0, completion("c", 1)))
    assert (found.solution, found.step_labels) == ("b\nc", (1, 1))


def test_prm800k_may_end_at_an_error_or_without_a_step():
    found = prm800k(rated(0, completion("a", 1)), rated(None, completion("b", -1), completion("c", 1)))
    assert (found.solution, found.step_labels) == ("a\nb", (1, -1))
    assert prm800k(rated(0, completion("a", 1)), rated(None)).solution == "a"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Q? Step 1: a ки\nStep 2: b + c ки", "Q? Step 1: a +\nStep 2: b + c -"),
        ("Q? \n\nStep 1: a ки ? \n\nStep 2: b + c ки ?", "Q? \n\nStep 1: a ки + \n\nStep 2: b + c ки -"),
    ],
)
def test_math_shepherd_has_its_labels_in_the_place_of_its_tags(text, label):
    (found,) = records("math_shepherd", input=text, label=label, task="GSM8K")
    assert (found.question, found.answer, found.solution) == ("Q?", None, "Step 1: a\nStep 2: b + c")
    assert (found.step_labels, found.extra["task"]) == ((1, -1), "GSM8K")


PATHS = [("a\nb", (1, 1), [0.5, 1.0]), ("a\nc", (1, -1), [0.5, 0.0]), ("d", (-1,), [0.0])]


def test_math_aps_is_a_record_for_each_path_of_its_tree():
    leaves = [{"text": "b", "mc_value": 1.0, "children": []}, {"text": "c", "mc_value": 0, "children": []}]
    children = [{"text": "a", "mc_value": 0.5, "children": leaves}, {"text": "d", "mc_value": 0.0, "children": []}]
    tree = {"text": "Q", "mc_value": 0.4, "children": children}
    found = records("math_aps", question="Q", final_answer="7", question_id=0, reasoning_steps=tree)
    assert [(one.solution, one.step_labels, one.extra["mc_values"]) for one in found] == PATHS
    assert {(one.question, one.answer) for one in found} == {("Q", "7")}


def test_math_aps_finds_the_same_paths_among_prefixes():
    values = {"Q": 0.4, "Q\n\n a": 0.5, "Q\n\n a\n\nb": 1.0, "Q\n\n d": 0.0, "Q\n\n a\n\nc": 0.0}
    prefixes = [{"solution_prefix": prefix, "mc_value": value} for prefix, value in values.items()]
    found = records("math_aps", question="Q", final_answer="7", question_id=0, reasoning_steps=prefixes)
    assert [(one.solution, one.step_labels, one.extra["mc_values"]) for one in found] == PATHS


FIRST_WRONG = {
    "stepverify": dict(
        problem="Q", reference_solution="R\n 7", student_incorrect_solution=["a", "b", "c"], incorrect_index=1
    ),
    "mr_gsm8k": dict(
        question="Q",
        ground_truth_answer=7,
        model_output_steps=["a", "b", "c"],
        model_output_solution_correctness="wrong",
        model_output_solution_first_error_step=2,
        question_type="original",
    ),
    "bbmistake_arithmetic": dict(input="Q", steps=["a", "b", "c"], target="7", answer="8", mistake_index=1),
}


@pytest.mark.parametrize("name", FIRST_WRONG)
def test_nothing_is_said_of_steps_behind_the_first_wrong_one(name):
    (found,) = records(name, **FIRST_WRONG[name])
    assert (found.question, found.answer, found.step_labels) == ("Q", "7", (1, -1, 0))
    assert found.extra["steps"] == ["a", "b", "c"]


def test_a_solution_without_a_mistake_is_right_in_all_its_steps():
    (found,) = records("bbmistake_arithmetic", **FIRST_WRONG["bbmistake_arithmetic"] | {"mistake_index": None})
    assert found.step_labels == (1, 1, 1)
    right = {"model_output_solution_correctness": "correct", "model_output_solution_first_error_step": "N/A"}
    (found,) = records("mr_gsm8k", **FIRST_WRONG["mr_gsm8k"] | right)
    assert found.step_labels == (1, 1, 1)


def test_mr_gsm8k_has_no_answer_where_its_column_holds_words():
    row = FIRST_WRONG["mr_gsm8k"] | {"ground_truth_answer": "Let's think step by step.", "question_type": "POT"}
    (found,) = records("mr_gsm8k", **row)
    assert (found.answer, found.style) == (None, "pot")
    assert found.extra["ground_truth_answer"] == "Let's think step by step."


def test_prmbench_is_the_modified_solution_and_the_right_one():
    wrong, right = records(
        "prmbench",
        question="$Q$",
        original_question="Q",
        modified_question="M",
        original_process=["a", "b"],
        modified_process=["a", "x", "c"],
        modified_steps=[2],
        error_steps=[2],
    )
    assert (wrong.question, wrong.step_labels, wrong.extra["process"]) == ("M", (1, -1, 1), "modified")
    assert (right.question, right.step_labels, right.extra["process"]) == ("Q", (1, 1), "original")


def test_openais_systems_are_a_record_each():
    system = {"is_correct": False, "solution": "S"}
    names = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]
    row = dict.fromkeys(names, system) | {"175b_verification": {"is_correct": True, "solution": "T"}}
    found = records("openai_solutions", question="Q", ground_truth="It is 18.\nA: 18", **row)
    assert [(one.maker, one.solution, one.score) for one in found] == [
        *((name, "S", 0.0) for name in names[:3]),
        ("175b_verification", "T", 1.0),
    ]
    assert {one.answer for one in found} == {"18"}


def test_codexs_programs_are_a_record_each():
    found = records("codex_outputs", passage="P.", question="Q?", executed=3.0, generated=["a", "b"], answer=3.0)
    assert [(one.question, one.solution, one.style) for one in found] == [("P. Q?", "a", "pot"), ("P. Q?", "b", "pot")]
    (found,) = records("codex_outputs", question="Q?", executed=None, generated="a", answer="A", options=["A)1", "B)2"])
    assert (found.solution, found.answer, found.options) == ("a", "A", ("A)1", "B)2"))


def test_rhos_outputs_have_their_scores():
    (found,) = records("rho_outputs", question="Q", gt="18", gt_cot="R", code=["S"], pred=["17"], score=[False])
    assert (found.answer, found.solution, found.score, found.extra["pred"]) == ("18", "S", 0.0, ["17"])


def test_mathcoders_blocks_are_one_solution():
    blocks = [("system", "Solve."), ("user", "Q"), ("text", "So {x}:"), ("code", "1+1"), ("execution", "2")]
    blocks = [{"role": role, "content": content} for role, content in blocks]
    (found,) = records(
        "mathcoder_outputs", debug_result=blocks, ground_truth={"solution": "", "answer": "2"}, is_correct=True
    )
    assert (found.question, found.answer, found.score) == ("Q", "2", 1.0)
    assert found.solution == "So {x}:\n\n```python\n1+1\n```\n\n```output\n2\n```"


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("stepverify", {"incorrect_index": 3}, r"the first wrong step must be one of 3, got 3 \(from 0\)"),
        ("mr_gsm8k", {"model_output_solution_first_error_step": 0}, r"must be one of 3, got -1"),
        ("bbmistake_arithmetic", {"steps": []}, r"the first wrong step must be one of 0"),
        ("math_shepherd", {"input": "Q Step 1: a ки", "label": "Q Step 1: b +"}, "must differ at the tags alone"),
        ("math_shepherd", {"input": "Q Step 1: a ки b", "label": "Q Step 1: a + b"}, "steps that end in 'ки'"),
        ("math_aps", {"question": "Q", "final_answer": "7", "reasoning_steps": [{}]}, "must hold prefixes or a tree"),
        ("prm800k", {"question": {"problem": "P"}, "label": {}}, "column 'label' must hold steps"),
    ],
)
def test_labels_that_cannot_be_placed_are_refused(name, changed, message):
    with pytest.raises(ValueError, match=message):
        records(name, **FIRST_WRONG.get(name, {}) | changed)
