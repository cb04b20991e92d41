"""Matrices, vectors and tuples as rows of cells."""

import functools

from mathjax.answers.quantities import Unknown


def rows_of(tree):
    """The rows of a matrix, of a tuple (one row) and of sums and multiples of matrices; None where there are none."""
    match tree:
        case ("matrix", rows):
            return rows
        case ("brackets", _, _, parts):
            nested = parts and all(part[0] == "brackets" for part in parts)
            return tuple(part[3] for part in parts) if nested else (parts,)
        case ("negative", inner) if (rows := rows_of(inner)) is not None:
            return _each(rows, lambda cell: ("negative", cell))
        case ("quotient", inner, below) if (rows := rows_of(inner)) is not None:
            return _each(rows, lambda cell: ("quotient", cell, below))
        case ("product" | "sum" as kind, parts):
            return functools.reduce(functools.partial(_combined, kind), map(_operand, parts))[0]
    return None


def _operand(tree):
    return rows_of(tree), tree


def _each(rows, change):
    return tuple(tuple(map(change, row)) for row in rows)


def _combined(kind, one, other):
    """Rows of a sum or a product of two operands, each (its rows or None, its tree)."""
    (rows, left), (others, right) = one, other
    both = rows is not None and others is not None
    if rows is None and others is None:
        return None, (kind, (left, right))
    if kind == "sum":
        if not both or [len(row) for row in rows] != [len(row) for row in others]:
            raise Unknown("a sum of tables of different shapes")
        return tuple(
            tuple(("sum", pair) for pair in zip(row, other, strict=True))
            for row, other in zip(rows, others, strict=True)
        ), None
    if not both:
        rows, scale = (rows, right) if rows is not None else (others, left)
        return _each(rows, lambda cell: ("product", (scale, cell))), None
    if any(len(row) != len(others) for row in rows) or len(rows) * len(others) > 64:
        raise Unknown("a product of tables that do not fit")
    columns = list(zip(*others, strict=True))
    return tuple(
        tuple(("sum", tuple(("product", pair) for pair in zip(row, column, strict=True))) for column in columns)
        for row in rows
    ), None
