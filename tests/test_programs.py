"""The programs of completions: found, made to print their answers, and the answers read."""

import contextlib
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathjax.sandbox import programs
from mathjax.sandbox.interpreter import interpret


def fenced(*parts):
    return "\n".join(f"```{language}\n{text}\n```" for language, text in parts)


def printed(source):
    """What `source`, a harmless one, prints as it will be executed."""
    found = io.StringIO()
    with contextlib.redirect_stdout(found):
        exec(programs.runnable(source), {"__name__": "__main__"})
    return found.getvalue()


@pytest.mark.parametrize(
    ("completion", "code"),
    [
        ("x = 1\nprint(x)", "x = 1\nprint(x)"),
        ("print(3)\n\n### Instruction:\nprint(4)", "print(3)\n\n"),
        ("print(3)\n### Response: 5", "print(3)\n"),
        (fenced(("python", "print(1)")), "print(1)\n"),
        ("So:\n" + fenced(("py", "print(1)")) + "\nThat is 1.", "print(1)\n"),
        ("```python\nprint(1)", "print(1)"),
        ("```python\nprint(1)```", "print(1)"),
        ("- so\n  ```python\n  x = 1\n  print(x)\n  ```", "x = 1\nprint(x)\n"),
        (fenced(("", "print(1)")), "print(1)\n"),
        (fenced(("", "a picture"), ("Python", "print(1)")), "print(1)\n"),
        (fenced(("python", "x = 1"), ("output", "1"), ("python", "print(x)")), "x = 1\n\nprint(x)\n"),
        (fenced(("python", "x = y"), ("output", "NameError: y"), ("python", "print(2)")), "print(2)\n"),
        (fenced(("python", "x = y"), ("output", "Traceback (most recent call last):\n...")), "x = y\n"),
        (fenced(("bash", "ls")), None),
        (
            "Let's write a program.\n\nimport math\nprint(math.pi)\n\nThis prints the answer we want.",
            "import math\nprint(math.pi)\n",
        ),
        ("I cannot write a program for this.", None),
        ("The answer is 5.", None),
        ("", None),
        ("x = (1\nprint(x)", "x = (1\nprint(x)"),
        ("x = 1\r\nprint(x)\r\n", "x = 1\nprint(x)\n"),
    ],
)
def test_the_program_of_a_completion(completion, code):
    assert programs.program(completion) == code


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("x = 1\nprint(x)\nx", "1\n"),
        ("def f():\n    print(4)\nf()", "4\n"),
        ("x = 2\nif x > 1:\n    return x * 3\nreturn 0", "6\n"),
        ("from math import *\nreturn floor(2.5)", "2\n"),
        ("print(2)\nreturn 3", "2\n"),
        ("x = 2\nif x:\n    print(x)\n    return\nprint(3)", "2\n"),
        ("x = 2\nx * 3", "6\n"),
        ("x = 2; x * 3  # six", "6\n"),
        ("x = 2\nx, x + 1", "(2, 3)\n"),
        ("x = (\n    2\n)\n(\n    x\n    + 1\n)\n", "3\n"),
        ("x = 'é'; x", "é\n"),
        ("x = [3, 1]\nx.sort()", ""),
        ("a = 1\nans = 5\nb = 2", "5\n"),
        ("answer: int = 7", "7\n"),
        ("result = 1\nresult += 1", "2\n"),
        ("ans = None", ""),
        ("def solution():\n    '''text'''\n    return 8", "8\n"),
        ("def helper(x):\n    return x\ndef solve():\n    return helper(9)\ndef other():\n    return 0", "9\n"),
        ("def area(side=3):\n    return side * side", "9\n"),
        ("def area(side):\n    return side * side", ""),
        ("def solution():\n    apples = 10", ""),
        ("def solver():\n    return 3\nans = solver()", "3\n"),
        ("def solution():\n    return 3\nsolution()", "3\n"),
        ("def solution():\n    print(3)", "3\n"),
        ("'''\nprint(1)\n'''\nx = 4\nx", "4\n"),
        ("x = '5\\$'\nx", "5\\$\n"),
        ("", ""),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
def test_a_program_is_executed_so_that_it_prints_its_answer(source, text):
    assert printed(source) == text


@pytest.mark.parametrize("source", ["print(1", "x = = 2", "\0", "-" * 20_000 + "1", "x = 1", "print(2)\nx"])
def test_what_prints_or_does_not_parse_stays_as_it_is(source):
    assert programs.runnable(source) == source


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("18\n", "18"),
        ("step 1\n\n 18.0 \n\n", "18.0"),
        ("[[1 2]\n [3 4]]\n", "[[1 2]\n [3 4]]"),
        ("sum\n[1, 2]\n", "[1, 2]"),
        ("2\n:-)\n", ":-)"),
        ("\n \n", None),
        ("", None),
    ],
)
def test_the_answer_is_the_last_line_that_is_printed(text, answer):
    assert programs.answer(text) == answer


@given(st.text(st.sampled_from("`python\n x=1()#: retudf'\"\\[é;,")))
def test_any_text_is_a_completion(text):
    code = programs.program(text)
    if code is not None:
        interpret(programs.runnable(code))
    programs.answer(text)


@pytest.mark.parametrize(
    "text", ["```python\n", "A b c ", "x=", ")\n", "#", "```", "a,b=", "x = '", "Aa, ", "print(\n", " " * 9 + "```x\n"]
)
def test_long_texts_are_read_in_little_time(text):
    text *= 50_000 // len(text)
    began = time.process_time()
    programs.runnable(programs.program(text) or "")
    programs.answer(text)
    assert time.process_time() - began < 1
