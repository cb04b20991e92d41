"""A story with gaps, and the ways to solve it: what a template is, and the problem that it becomes.

In the texts stand

    {n}  {n apple}  {n fruit}  {n $}  {n %}  {n part}  {n times}   a number, alone or as `words.said` says it
    {fruit}  {fruit s}  {fruit a}                                   a noun of `words`: one, many, with a or an
    {A}  {A she}  {A She}  {A her}  {A Her}  {A him}                a person, and pronouns for them
    [n*price=cost]  [n*price=cost $]  [a+b=all fruit]               a step: `3*4 = $<<3*4=12>>12`

A solution is a tuple of sentences with one step each, every one true and clear by itself: they may stand in any order
in which no step uses what comes later, and the last one gives the answer.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import SimpleNamespace

from data_gen.word_problems import words
from mathjax import expression

GAP = re.compile(r"\{(\w+)(?: ([^{}]*))?\}")
STEP = re.compile(r"\[([^=\]]+)=(\w+)(?: ([^\]]*))?\]")
NAME = re.compile(r"[a-z_][a-z_0-9]*")
PERSON = re.compile(r"[A-C]")
PLACES = 2  # of a decimal number of a problem
MOST_ORDERS = 24  # of one solution


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high` in steps; `wide` ones reach further where a recipe wants larger numbers."""

    low: Fraction
    high: Fraction
    step: Fraction = Fraction(1)
    wide: bool = True

    def draw(self, below: Callable[[int], int], reach: float) -> Fraction:
        """One of them, by `below(n)`, a chance of 0, .., n - 1."""
        steps = (self.high - self.low) // self.step
        if self.wide:
            steps = max(1, round(steps * reach))
        return self.low + self.step * below(steps + 1)


def span(low, high, step="1") -> Span:
    """Numbers that may reach further; decimals are given as text."""
    return Span(Fraction(low), Fraction(high), Fraction(step))


def just(low, high, step="1") -> Span:
    """Numbers that always stay what they are, as percentages and days."""
    return Span(Fraction(low), Fraction(high), Fraction(step), wide=False)


@dataclass(frozen=True)
class Template:
    """A kind of story. `givens` are spans, or functions of the givens before them; `where` must hold for them.

    `asides` are sentences with a number {x} that does not matter; without any, those that fit everywhere are used.
    """

    name: str
    givens: Mapping[str, Span | Callable]
    story: str
    question: str
    solutions: tuple[tuple[str, ...], ...]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: Callable = lambda given: True
    asides: tuple[str, ...] = ()
    decimals: bool = False  # whether its solutions need decimals although its givens are whole

    @functools.cached_property
    def steps(self) -> int:
        """Of the first solution."""
        return len(self.solutions[0])

    @functools.cached_property
    def persons(self) -> list[str]:
        """The letters of those who are in it."""
        texts = (self.story, self.question, *(text for solution in self.solutions for text in solution), *self.asides)
        return sorted({name for text in texts for name, _ in GAP.findall(text) if PERSON.fullmatch(name)})

    @functools.cached_property
    def said(self) -> list[str]:
        """The givens that the story says."""
        return [name for name, _ in GAP.findall(self.story + self.question) if name in self.givens]

    @functools.cached_property
    def ways(self) -> list[tuple[str, ...]]:
        """Every order of every solution, each solution's own first; at most `MOST_ORDERS` of each."""
        return [order for solution in self.solutions for order in _orders(solution)]


@dataclass(frozen=True)
class Problem:
    """A template with its gaps filled: numbers by name, nouns by name, (name, which pronouns) by letter."""

    template: Template
    givens: Mapping[str, Fraction]
    nouns: Mapping[str, str] = field(default_factory=dict)
    persons: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def fill(self, text: str, **more: Fraction) -> str:
        """A text of the template with its gaps filled."""
        return GAP.sub(functools.partial(self._gap, self.givens | more), text)

    def work(self, way: tuple[str, ...]) -> tuple[list[str], Fraction]:
        """(the sentences of a solution, each with its checked step; the answer)."""
        known = dict(self.givens)
        lines = [STEP.sub(functools.partial(self._step, known), self.fill(sentence)) for sentence in way]
        return lines, known[_made(way[-1])]

    def program(self, way: tuple[str, ...]) -> str:
        """A program of the same steps, which prints the answer: in integers as far as they go, rounded after that."""
        known, steps = dict(self.givens), []
        integers = {name for name, value in known.items() if value.denominator == 1}  # as Python has them
        for sentence in way:
            formula, name, _ = STEP.search(sentence).groups()
            known[name] = _value(formula, known)
            if integers.issuperset(NAME.findall(formula)):
                whole = formula.replace("/", "//")
                if _value(whole, known) == known[name]:
                    formula = whole
                    integers.add(name)
            steps.append(f"{name} = {formula}")
        used = set(NAME.findall(" ".join(steps)))
        lines = [f"{name} = {expression.decimal(value)}" for name, value in self.givens.items() if name in used]
        name = _made(way[-1])
        return "\n".join([*lines, *steps, f"print({name})" if name in integers else f"print(round({name}, {PLACES}))"])

    def values(self) -> tuple[list[Fraction], set[Fraction]]:
        """(all numbers of the problem and its solutions, the answers of the solutions)."""
        found, answers = list(self.givens.values()), set()
        for solution in self.template.solutions:
            known = dict(self.givens)
            for sentence in solution:
                formula, name, _ = STEP.search(sentence).groups()
                known[name] = _value(formula, known)
                found.append(known[name])
            answers.add(known[name])
        return found, answers

    def _gap(self, numbers, match):
        name, how = match[1], match[2] or ""
        if name in self.persons:
            person, pronouns = self.persons[name]
            return words.PRONOUNS[how][pronouns] if how else person
        if name in self.nouns:
            noun = self.nouns[name]
            return {"": noun, "s": words.plural(noun), "a": words.article(noun)}[how]
        return words.said(numbers[name], self.nouns.get(how, how))

    def _step(self, known, match):
        formula, name, how = match[1], match[2], match[3] or ""
        written = NAME.sub(lambda found: expression.decimal(known[found[0]]), formula)
        known[name] = expression.value(written)
        result = expression.decimal(known[name])
        shown = f"<<{written}={result}>>{result}"
        if how == words.MONEY:
            return f"{written} = ${shown}"
        if how == words.PERCENT:
            return f"{written} = {shown}%"
        noun = self.nouns.get(how, how)
        return f"{written} = {shown}" + (noun and f" {noun if known[name] == 1 else words.plural(noun)}")


def view(numbers: Mapping[str, Fraction]) -> SimpleNamespace:
    """Numbers with a point before their names, for `where` and for givens that follow from others."""
    return SimpleNamespace(**numbers)


def _value(formula, known):
    return expression.value(NAME.sub(lambda found: f"({known[found[0]]})", formula))


def _made(sentence):
    return STEP.search(sentence)[2]


def _orders(solution):
    """The orders of a solution's sentences in which no step uses what comes later; the last one stays."""
    made = [_made(sentence) for sentence in solution]
    needs = [set(NAME.findall(STEP.search(sentence)[1])) & set(made) for sentence in solution]
    found = []

    def extend(order):
        if len(found) == MOST_ORDERS:
            return
        if len(order) == len(solution):
            found.append(tuple(solution[i] for i in order))
            return
        there = {made[i] for i in order}
        for i in range(len(solution)):
            last = i == len(solution) - 1
            if i not in order and needs[i] <= there and last == (len(order) == len(solution) - 1):
                extend([*order, i])

    extend([])
    return found
