"""Prompts are packed whole, each token once, into few sizes."""

import numpy as np
import pytest

from mathjax.model.attention import EMPTY
from mathjax.model.pages import PAGE
from mathjax.sample import decode, pack

PROMPTS, EACH = 40, 50  # pages of a prompt


def unpacked(packs):
    """The ids that lie in each page, column by column; every size."""
    found, sizes = {}, []
    for one in packs:
        sizes.append(one.tokens.shape)
        for line, pages in enumerate(one.pages):
            for number in sorted(set(one.segments[line].tolist()) - {0}):
                here = one.segments[line] == number
                assert one.positions[line, here].tolist() == list(range(here.sum()))
                for page, position, token in zip(
                    pages[here], one.positions[line, here], one.tokens[line, here], strict=True
                ):
                    held = found.setdefault(int(page), [])
                    assert len(held) == position % PAGE
                    held.append(int(token))
        assert np.all((one.pages == decode.NONE) == (one.positions == EMPTY))
    return found, sizes


@pytest.mark.parametrize("many", [1, 8])
@pytest.mark.parametrize("longest", [20, 500, 3000])
def test_every_prompt_lies_whole_in_its_pages(longest, many):
    random = np.random.default_rng(longest)
    counts = [0, 1, longest, *random.integers(0, longest + 1, PROMPTS - 3).tolist()]
    free, prompts, expected = random.permutation(PROMPTS * EACH), [], {}
    for number, count in enumerate(counts):
        ids, places = random.integers(0, 99, count).tolist(), free[number * EACH : (number + 1) * EACH]
        prompts.append((places, ids))
        expected |= {int(places[i]): ids[i * PAGE : (i + 1) * PAGE] for i in range(-(-count // PAGE))}
    sizes = pack.shapes(longest, many)
    found, used = unpacked(pack.pack(prompts, sizes, pad_id=0))
    assert found == expected
    assert set(used) <= set(sizes)


def test_a_prompt_without_tokens_needs_no_pack():
    assert list(pack.pack([(np.array([], np.int32), [])], pack.shapes(100), pad_id=0)) == []


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
    prompts = [(range(4), [1] * int(count)) for count in random.integers(40, 200, PROMPTS)]
    packs = list(pack.pack(prompts, pack.shapes(200, 1), pad_id=0))
    used = sum(len(ids) for _, ids in prompts)
    assert used / sum(one.tokens.size for one in packs) > 0.85
