"""Prompts are packed whole, each token once, into few sizes."""

import numpy as np
import pytest

from mathjax.model.attention import EMPTY
from mathjax.sample import decode, pack

ROWS = 40


def unpacked(packs):
    """The prompt of each row, and what all packs say of its length; every size."""
    found, lengths, sizes = {}, np.full(ROWS, decode.NONE), []
    for one in packs:
        sizes.append(one.tokens.shape)
        lengths = np.where(one.lengths == decode.NONE, lengths, one.lengths)
        for line, row in {(line, int(row)) for line, rows in enumerate(one.rows) for row in rows if row < ROWS}:
            here = one.rows[line] == row
            assert row not in found and len(set(one.segments[line, here])) == 1 and one.segments[line, here][0] > 0
            assert one.positions[line, here].tolist() == list(range(here.sum()))
            found[row] = one.tokens[line, here].tolist()
        assert np.all((one.rows == ROWS) == (one.positions == EMPTY))
    return found, lengths, sizes


@pytest.mark.parametrize("many", [1, 8])
@pytest.mark.parametrize("longest", [20, 500, 3000])
def test_every_prompt_lies_whole_in_one_row(longest, many):
    random = np.random.default_rng(longest)
    counts = [0, 1, longest, *random.integers(0, longest + 1, ROWS - 3).tolist()]
    prompts = [(row, random.integers(0, 99, count).tolist()) for row, count in enumerate(counts)]
    sizes = pack.shapes(longest, many)
    found, lengths, used = unpacked(pack.pack(prompts, ROWS, sizes, pad_id=0))
    assert found == {row: ids for row, ids in prompts if ids}
    assert lengths.tolist() == counts
    assert set(used) <= set(sizes)


def test_prompts_without_tokens_are_told_too():
    [only] = pack.pack([(3, [])], ROWS, pack.shapes(100), pad_id=0)
    assert only.lengths[3] == 0 and np.all(np.delete(only.lengths, 3) == decode.NONE)
    assert only.tokens.shape == (1, 32)


@pytest.mark.parametrize(
    ("longest", "many", "expected"),
    [
        (10, 1, [(1, 16), (1, 32), (1, 64)]),
        (200, 1, [(1, 64), (1, 128), (1, 256)]),
        (512, 8, [(1, 128), (1, 256), (1, 512), (8, 512)]),
        (1500, 1, [(1, 128), (1, 256), (1, 512), (1, 1024), (1, 1536)]),
    ],
)
def test_sizes_are_few(longest, many, expected):
    assert pack.shapes(longest, many) == expected


def test_most_of_what_is_read_is_prompt():
    random = np.random.default_rng(0)
    prompts = [(row, [1] * int(count)) for row, count in enumerate(random.integers(40, 200, ROWS))]
    packs = list(pack.pack(prompts, ROWS, pack.shapes(200, 1), pad_id=0))
    used = sum(len(ids) for _, ids in prompts)
    assert used / sum(one.tokens.size for one in packs) > 0.85
