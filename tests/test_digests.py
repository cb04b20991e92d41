"""Files that are no longer what was written are found and named."""

import pytest

from mathjax import digests


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "params" / "d").mkdir(parents=True)
    (tmp_path / "params" / "d" / "one").write_bytes(bytes(1000))
    (tmp_path / "about").write_text("{}")
    (tmp_path / "changes").write_text("")
    digests.write(tmp_path, ignore=("changes",))
    return tmp_path


def test_what_was_not_touched_is_whole(folder):
    assert digests.damage(folder) == ""


DAMAGE = [
    (lambda folder: (folder / "about").write_text("[]"), "about holds other bytes"),
    (lambda folder: (folder / "about").write_text("{} "), "about has 3 bytes, 2 were written"),
    (lambda folder: (folder / "params" / "d" / "one").unlink(), "params/d/one: No such file"),
    (lambda folder: (folder / digests.NAME).unlink(), "digests.json is missing"),
    (lambda folder: (folder / digests.NAME).write_text('{"about": [2'), "digests.json cannot be read"),
    (lambda folder: (folder / digests.NAME).write_text('{"about": 7}'), "digests.json cannot be read"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE, ids=[message for _, message in DAMAGE])
def test_what_was_changed_is_named(folder, damage, message):
    damage(folder)
    assert message in digests.damage(folder)


def test_only_the_folders_that_are_asked_for_are_looked_at(folder):
    (folder / "about").write_text("[]")
    assert digests.damage(folder, ("params",)) == ""
    assert digests.damage(folder, ("params", "about")) != ""


def test_what_came_later_or_was_to_be_ignored_does_not_matter(folder):
    (folder / "changes").write_text("more")
    (folder / "new").write_text("more")
    assert digests.damage(folder) == ""
