"""Plus-minus signs, and the values they stand for."""

from mathjax.answers import tree as tree_of


def has_signs(tree):
    return tree[0] == "plus_minus" or any(map(has_signs, tree_of.children(tree)))


def expanded(tree):
    if not has_signs(tree):
        return [tree]
    if tree[0] == "relation":
        return [one for side in expanded(tree[1][-1]) for one in [("relation", (*tree[1][:-1], side))]]
    linked = "∓" in repr(tree)
    found = [_choose(tree, 1), _choose(tree, -1)]
    if linked or _count(tree) == 1:
        return found
    return [_independent(tree, choice) for choice in range(2 ** min(_count(tree), 4))]


def _count(tree):
    return (tree[0] == "plus_minus") + sum(_count(part) for part in tree_of.children(tree))


def _choose(tree, sign):
    """The tree with the upper signs (1) or the lower ones (-1)."""
    return _with_signs(tree, lambda mark: sign if mark == "±" else -sign)


def _independent(tree, choice):
    signs = iter(-1 if choice >> place & 1 else 1 for place in range(64))
    return _with_signs(tree, lambda mark: next(signs))


def _with_signs(tree, sign):
    tree = tree_of.with_children(tree, lambda part: _with_signs(part, sign))
    if tree[0] == "plus_minus":
        return tree[2] if sign(tree[1]) > 0 else ("negative", tree[2])
    return tree
