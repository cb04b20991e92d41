"""Columns of a published row, taken out of it one by one: what is left is what the row holds beside."""

import ast
import json


def text(row: dict, *names: str) -> str:
    """The first of these columns that the row has: text with something in it, as published; else ValueError."""
    name = _first(row, names)
    value = row.pop(name)
    if type(value) is not str or not value.strip():
        raise ValueError(f"column {name!r} must be text, got {value!r:.80}")
    return value


def text_or_none(row: dict, name: str) -> str | None:
    """A column of text, None where it is absent, null or blank; ValueError for anything else."""
    value = row.pop(name, None)
    if value is not None and type(value) is not str:
        raise ValueError(f"column {name!r} must be text, got {value!r:.80}")
    return value if value and value.strip() else None


def answer(row: dict, *names: str) -> str:
    """The first of these columns that the row has, as an answer: text without space around it, a number or a truth
    value as Python writes it, a list as JSON; ValueError for anything else."""
    name = _first(row, names)
    value = row.pop(name)
    if type(value) is str and value.strip():
        return value.strip()
    if type(value) in (int, float, bool):
        return str(value)
    if type(value) is list and value:
        return json.dumps(value, ensure_ascii=False)
    raise ValueError(f"column {name!r} must be an answer, got {value!r:.80}")


def listed(row: dict, name: str, kind: type = str) -> list:
    """A column that is a list of one kind, or text of a Python literal that is; else ValueError."""
    value = row.pop(_first(row, [name]))
    if type(value) is str:
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise ValueError(f"column {name!r} must be a list, got {value!r:.80}") from None
    if type(value) is not list or any(type(part) is not kind for part in value):
        raise ValueError(f"column {name!r} must be a list of {kind.__name__}, got {value!r:.80}")
    return value


def whole(row: dict, name: str) -> int:
    """A column that is a whole number; else ValueError."""
    value = row.pop(_first(row, [name]))
    if type(value) is not int:
        raise ValueError(f"column {name!r} must be a whole number, got {value!r:.80}")
    return value


def part(row: dict, name: str) -> dict:
    """A column that has columns of its own, as a new dict; else ValueError."""
    value = row.pop(_first(row, [name]))
    if type(value) is not dict:
        raise ValueError(f"column {name!r} must be an object, got {value!r:.80}")
    return dict(value)


def _first(row, names):
    for name in names:
        if name in row:
            return name
    raise ValueError(f"no column {' or '.join(map(repr, names))}; there are {', '.join(row) or 'none'}")
