"""Style `arithmetic` (MathGLM, arXiv 2309.03241): expressions worked out step by step.

The answer is what follows the last `=` of question and completion together, and the truth is the exact value of the
question.
"""

import ast
import math
import operator
import re
from fractions import Fraction

from mathjax import expression
from mathjax.records import Record
from mathjax.verify.verdict import Verdict

LONGEST_TEXT = 20_000  # characters of question and completion that are looked at
LONGEST_ANSWER = 500

_DECIMAL = r"[0-9]++(?:\.[0-9]*+)?|\.[0-9]++"  # possessive: a long number is read once, not in all its parts
_FRACTION = rf"-?(?:{_DECIMAL})/-?(?:{_DECIMAL})"
_ANSWER = re.compile(rf"-?(?:{_DECIMAL})|{_FRACTION}|-?\({_FRACTION}\)|-?\[{_FRACTION}\]")
_OPERATION = re.compile(r"[0-9.)\]%][-+*/^]")


def chain(question: str, completion: str) -> list[str]:
    """The segments of question and completion between `=`; the first is the question, the last the answer.

    The `=` a question should end with is put there if it is absent, as MathGLM's sampler does.
    """
    question = question.strip()
    return [part.strip() for part in (question.removesuffix("=") + "=" + completion[:LONGEST_TEXT]).split("=")]


def truth(record: Record) -> Fraction:
    """The exact value of an arithmetic record's question; ValueError where it has none or the answer is another."""
    question = record.question.strip().removesuffix("=")
    try:
        value = expression.value(question)
    except expression.ExpressionError as error:
        raise ValueError(f"{_name(record)}: the question has no value: {error}") from None
    if record.answer is not None:
        try:
            answer = expression.value(record.answer)
        except expression.ExpressionError as error:
            raise ValueError(f"{_name(record)}: the answer {record.answer!r} has no value: {error}") from None
        if not _same(answer, value):
            raise ValueError(f"{_name(record)}: the answer is {record.answer!r}, but the question's value is {value}")
    return value


def judge(record: Record, completion: str, protocol: str = "strict") -> Verdict:
    """The verdict on the chain of question and completion.

    Protocols: `strict` compares exact rationals, both rounded to 2 decimals, halves to even; `mathglm` is the rule of
    MathGLM's published scorer, with the floats of Python on both sides. They differ where a float is not the number it
    stands for: beyond 2**53, and at ties of the third decimal; and in what they read: `1e-06` is a number to Python
    alone, and where the question is a division, that division is no answer to `strict`. An answer is a number or a
    fraction, `a/b` or `(a/b)`, whose value is taken. ValueError for a question without a value, and for a record whose
    own answer is not the value of its question.
    """
    value = truth(record)
    segments = chain(record.question, completion)
    answer = segments[-1]
    wrong = next((i for i, text in enumerate(segments) if i and _value(text) != value), None)
    if not answer:
        return Verdict(answer=None, correct=False, why="no_answer", exact=False, close=False, wrong_segment=wrong)
    why = "too_long" if len(completion) > LONGEST_TEXT else _kind(answer, segments[0], value)
    number = None
    if why == "final":
        number = value if wrong is None else _value(answer)
        why = "unreadable" if number is None else why
    correct = ARITHMETIC[protocol](segments[0], value, answer, number)
    if why == "final":
        why = "correct" if correct else "wrong_value"
    elif correct:
        why = "correct"
    return Verdict(
        answer=answer[:LONGEST_ANSWER],
        correct=correct,
        why=why,
        exact=number is not None and number == value,
        close=number is not None and abs(number - value) <= abs(value) / 100,
        wrong_segment=wrong,
    )


def _kind(answer, question, value):
    """The word for what an answer is: `final`, a number or a fraction, or what it is instead."""
    if len(answer) > LONGEST_ANSWER:
        return "too_long"
    if not _ANSWER.fullmatch(answer):
        return "unfinished" if _OPERATION.search(answer) else "unreadable"
    said_again = answer.strip("()[]") == question
    if said_again and "/" in answer and answer != f"({value})":  # a division, not done; (1/3) is what becomes of 1/3
        return "unfinished"
    return "final"


def _value(text):
    """The exact value of a segment, None where it has none."""
    if len(text) > LONGEST_ANSWER:
        return None
    try:
        return expression.value(text)
    except expression.ExpressionError:
        return None


def _strict(question, value, answer, number):
    return number is not None and _same(number, value)


def _same(a, b):
    return a == b or round(a, 2) == round(b, 2)


def _mathglm(question, value, answer, number):
    """MathGLM's rule: both sides as Python would compute them; an answer with `+` is wrong, `/` is worked out."""
    if "+" in answer or len(answer) > LONGEST_ANSWER:
        return False
    try:
        predicted = python_value(answer) if "/" in answer else float(answer)
        return round(predicted, 2) == round(python_value(question), 2)
    except (ArithmeticError, ValueError):  # no number, no value, or infinite
        return False


def python_value(text: str) -> int | float:
    """What Python's own numbers make of an expression: integers exact, `/` and decimals in floats.

    Square brackets are round ones, `n%` is `(n/100)`, `^` a power of floats. ValueError where it is no expression,
    ArithmeticError where it has no value. Nothing is executed: the syntax tree is walked.
    """
    text = re.sub(rf"({_DECIMAL})%", r"(\1/100)", text.replace("[", "(").replace("]", ")")).replace("^", "**")
    if not re.fullmatch(r"[-+*/(). 0-9]+", text):
        raise ValueError(f"not an arithmetic expression: {text[:80]!r}")
    try:
        return _walk(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError, TypeError) as error:
        raise ValueError(f"not an arithmetic expression of Python: {text[:80]!r}: {error}") from None


def _walk(node):
    match node:
        case ast.Constant(value=int() | float()):
            return node.value
        case ast.UnaryOp():
            return _PYTHON[type(node.op)](_walk(node.operand))
        case ast.BinOp():
            return _PYTHON[type(node.op)](_walk(node.left), _walk(node.right))
    raise ValueError(f"{type(node).__name__} is not arithmetic")


_PYTHON = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: math.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def _name(record):
    return f"record {record.question[:80]!r}" + (f" of {record.source}" if record.source else "")


ARITHMETIC = {"strict": _strict, "mathglm": _mathglm}
