"""A judge of arithmetic chains that shares nothing with mathjax: Python's syntax trees and fractions."""

import ast
import itertools
import math
import operator
import re
from fractions import Fraction


def judge(question: str, solution: str, answer: str) -> int:
    """How many segments a chain has; ValueError where one is not equal, or does not do one operation of the last."""
    segments = (question + solution).split("=")
    truth = value(segments[0])
    for before, after in itertools.pairwise(segments):
        if value(after) != truth:
            raise ValueError(f"{after} is {value(after)}, not {truth}: {question}{solution}")
        if operations(after) != operations(before) - 1:
            raise ValueError(f"{before} and {after} are not one operation apart: {question}{solution}")
    if answer != segments[-1] or operations(answer):
        raise ValueError(f"{answer} is not what the chain ends in: {question}{solution}")
    return len(segments) - 1


def value(text: str) -> Fraction:
    """The value of an expression with + - * / ^ %, decimals and both kinds of brackets."""
    text = re.sub(r"([0-9.]+)%", r"(\1/100)", text.replace("[", "(").replace("]", ")")).replace("^", "**")
    text = re.sub(r"([0-9]*)\.([0-9]+)", lambda found: f"({int(found[1] + found[2])}/{10 ** len(found[2])})", text)
    return _walk(ast.parse(text, mode="eval").body)


def operations(text: str) -> int:
    """How many operations are left to do; a fraction (a/b) in lowest terms is a number."""
    text = re.sub(r"\(-?([0-9]+)/([0-9]+)\)", lambda found: "1" if is_fraction(*found.groups()) else found[0], text)
    return len(re.findall(r"(?<=[0-9)\]%])[-+*/^]", text))


def is_fraction(a: str, b: str) -> bool:
    """Whether a/b is in lowest terms and not whole."""
    return int(b) > 1 and math.gcd(int(a), int(b)) == 1


def _walk(node):
    match node:
        case ast.Constant(value=int()):
            return Fraction(node.value)
        case ast.UnaryOp(op=ast.USub()):
            return -_walk(node.operand)
        case ast.BinOp(op=ast.Pow()):
            return _walk(node.left) ** int(_walk(node.right))
        case ast.BinOp():
            return _OPERATORS[type(node.op)](_walk(node.left), _walk(node.right))
    raise ValueError(f"not arithmetic: {ast.dump(node)}")


_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
