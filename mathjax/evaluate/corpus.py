"""Which questions are of a form that a corpus of arithmetic holds, by the recipe that lies beside its records."""

import functools
import itertools
import json
import pathlib
from collections.abc import Callable, Collection, Sequence

from mathjax import config, expression, records
from mathjax.evaluate.forms import Form, digits, form, lowest, steps

MANIFEST = "manifest.json"
OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "^": "power"}
PLACES = {"*": "factor_digits", "/": "divisor_digits"}  # by the operator on the left


def recipes(folders: Sequence[str], sources: Sequence[str] = ()) -> list[config.Arithmetic]:
    """The recipes of the corpora in `folders`; where none is named, of those that the files `sources` lie in.

    FileNotFoundError or ValueError where a named folder holds no corpus of arithmetic; of the sources, those that
    have no manifest, or another's, are passed over.
    """
    if not folders:
        found = [pathlib.Path(source).parent / MANIFEST for source in sources]
        read = [_recipe(path) for path in dict.fromkeys(found) if path.is_file()]
        return [recipe for recipe in read if recipe is not None]
    read = {folder: _recipe(pathlib.Path(folder) / MANIFEST) for folder in folders}
    for folder, recipe in read.items():
        if recipe is None:
            raise ValueError(f"config.corpus: {folder} was not made by data_gen.arithmetic")
    return list(read.values())


def covers(corpora: Sequence[config.Arithmetic]) -> Callable[[str], bool] | None:
    """Whether some part of the corpora could hold a question, by its form; None where there is no corpus.

    See `covered` for what counts.
    """
    if not corpora:
        return None
    return lambda question: any(covered(question, part, corpus.division) for corpus in corpora for part in corpus.parts)


def shown(questions: Collection[str], sources: Sequence[str]) -> set[str] | None:
    """Those of `questions` that the record files hold, as a question or as a later segment of a chain.

    None where a file is not there. It reads all of them: some 80,000 records a second.
    """
    try:
        found = [records.read(source) for source in sources]
    except FileNotFoundError:
        return None
    left, seen = {question.removesuffix("=") for question in questions}, set()
    for record in itertools.chain.from_iterable(found):
        seen |= left.intersection((record.question + (record.solution or "")).split("="))
    return {question for question in questions if question.removesuffix("=") in seen}


def parts(covers: Callable[[str], bool] | None, seen: Collection[str] | None) -> dict[str, Callable[[str], bool]]:
    """The parts of a benchmark that the report tells apart, as far as coverage and the questions seen are known."""
    found = {}
    if covers:
        covers = functools.cache(covers)
        found = {"covered": covers, "not_covered": lambda question: not covers(question)}
    if covers and seen is not None:
        found["covered_unseen"] = lambda question: covers(question) and question not in seen
    elif seen is not None:
        found["unseen"] = lambda question: question not in seen
    return found


def covered(question: str, part: config.Expressions, division: str) -> bool:
    """Whether a question's form lies within a part of a corpus.

    Its number of operations, its operators, brackets, formats of numbers, and the digits and decimals of each number
    where it stands must be among those that the part draws from; so must the digits of every value on the way and,
    where division gives decimals, the decimals of every quotient. A number that no generator writes (`.5`, `1.50`)
    is not covered. As in the corpus, `(a/b)` in lowest terms is a number, any other a division in brackets.
    """
    found = form(question, is_fraction=lowest)
    return _fits(found, part) and _keeps(question, part, division == "fraction" or "fraction" in found.formats)


def _fits(found: Form, part: config.Expressions):
    """Whether what can be seen of an expression is among what a part draws from."""
    least, most = part.operations
    return (
        least <= found.operations <= most
        and not found.odd
        and all(getattr(part, OPERATORS.get(sign, ""), 0) > 0 for sign in found.operators)
        and all(getattr(part, name) > 0 for name in found.formats)
        and (part.brackets > 0 and found.operations > 1 or not found.brackets)
        and all(_fits_number(number, part) for number in found.numbers)
    )


def _fits_number(number, part):
    if number.format == "fraction":
        least, most = part.fraction_digits
        return all(least <= digits(side) <= most for side in number.text.split("/"))
    if number.left == "^":
        least, most = part.exponent
        return number.format == "integer" and least <= int(number.text) <= most
    least, most = part.base_digits if number.right == "^" else getattr(part, PLACES.get(number.left, "digits"))
    if number.left == "/":  # made smaller where the quotient would not end
        least = 1
    if number.right == "/" and number.format == "percent":  # made a multiple of the divisor, as a hundredth
        most += 2
    if not least <= digits(number.text) <= most:
        return False
    least, most = part.places
    return number.format != "decimal" or least <= len(number.text.partition(".")[2]) <= most


def _keeps(question, part, fractions):
    """Whether every value on the way is one that the part keeps."""
    try:
        work = steps(question)
    except expression.ExpressionError:
        return False
    for step in work:
        if abs(step.result) >= 10**part.limit or (step.result < 0 and not part.below_zero):
            return False
        if step.operator == "/" and not fractions:
            before, after = expression.places(step.left), expression.places(step.result)
            if before is None or after is None or after > before + part.quotient_places:
                return False
    return True


def _recipe(path):
    """The recipe in a manifest, None where it is not one of arithmetic."""
    if not path.is_file():
        there = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else "no such folder"
        raise FileNotFoundError(f"{path.parent}: wanted a corpus with a {MANIFEST}, found {there}")
    recipe = json.loads(path.read_text(encoding="utf-8")).get("recipe", {})
    return config.from_dict(config.Arithmetic, recipe, str(path)) if "parts" in recipe else None
