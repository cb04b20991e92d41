"""Where the answer of a text is."""

import time

import pytest

from mathjax.answers.extract import Found, find, reference


@pytest.mark.parametrize(
    ("text", "answer", "rule"),
    [
        ("so she has 5 + 4 = 9.\n#### 9", "9", "hash"),
        ("#### 9\n\nQuestion: What is 2+2?\n#### 4", "9", "hash"),
        ("#### Result\nThe answer is 11.", "11", "phrase"),
        ("first \\boxed{1} then \\boxed{99}", "99", "box"),
        ("\\boxed{1} and \\boxed{2}", "1, 2", "box"),
        ("$\\boxed{1}$, $\\boxed{2}$ and $\\boxed{3}$", "1, 2, 3", "box"),
        ("\\boxed{3} \\boxed{3} \\boxed{2}", "2", "box"),
        ("\\boxed{\\frac{1}{\\sqrt{2}}}", "\\frac{1}{\\sqrt{2}}", "box"),
        ("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}", "box"),
        ("$\\boxed 12$", "12", "box"),
        ("\\fbox{7}", "7", "box"),
        ("The answer is \\boxed{7}. Let me verify: 7+1=8. Indeed 8.", "7", "box"),
        ("\\boxed{255} Final Answer: The final answer is $10,455$. I hope it is correct.", "10,455", "phrase"),
        ("<think>\\boxed{42}</think> It is \\boxed{43}.", "43", "box"),
        ("<answer>$16</answer>", "$16", "answer tag"),
        ("<answer>The total is 78.</answer>", "78", "phrase"),
        ("The answer is 12, which we checked in 2 ways.", "12", "phrase"),
        ("The answer is 6 (see equation 4).", "6", "phrase"),
        ("**Answer:** 4.", "4", "phrase"),
        ("Therefore the answer is +7", "+7", "phrase"),
        ("The answer is not 30 but 31.", "31", "phrase"),
        ("Therefore $x \\geq 5$ is the solution.", "x \\geq 5", "math"),
        ("There are 5,600 items", "5,600", "number"),
        ("In $f(x)$ we find 19.", "19", "number"),
        ("x = -2", "x = -2", "whole"),
        ("```python\nprint(4)\n```\n```output\n4.0\n```\nFour of them.", "4.0", "output"),
    ],
)
def test_an_answer_is_found_by_the_first_rule_that_fits(text, answer, rule):
    assert find(text) == Found(answer, rule)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\\boxed{}",
        "We get \\boxed{12",
        "The answer is not 31.",
        "<answer></answer>",
        "So we compute and find",
    ],
)
def test_a_text_may_have_no_answer(text):
    assert find(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("7425000", "7425000"),
        ("$[0,1)$", "[0,1)"),
        ("x \\in \\boxed{[0,7)}.$", "[0,7)"),
        ("She sold 48/2 = <<48/2=24>>24.\n#### 72", "72"),
        ("\\frac12", "\\frac12"),
    ],
)
def test_a_reference_may_be_bare_or_boxed_or_a_solution(text, answer):
    assert reference(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{" * 30_000,
        "\\boxed{1}" * 20_000,
        "\n" * 150_000 + "5",
        "answer is " * 20_000,
        "$" * 100_001,
        "answer" + " " * 150_000 + "is 4",
        "1," * 70_000,
        "**Answer** " * 15_000,
        "(" * 100_000,
        "```output\n" * 15_000,
        "#### \n" * 30_000,
        "\\[ " * 50_000,
        "a " * 80_000,
        "Question" * 20_000,
    ],
)
def test_finding_takes_time_in_proportion_to_the_text(text):
    begun = time.thread_time()
    find(text)
    assert time.thread_time() - begun < 2
