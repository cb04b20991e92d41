"""Rows of published files: formats, places, and what cannot be read."""

import gzip
import importlib.util

import pytest

from data_gen.sources import rows


def written(tmp_path, name, text):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def found(path):
    return [(row.line, row.columns) for row in rows.read(path)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_row_stands_in_each_line_that_is_not_blank(tmp_path, name):
    path = written(tmp_path, name, '\ufeff{"a": 1}\n\n{"a": "é"}\r\n')
    assert found(path) == [(1, {"a": 1}), (3, {"a": "é"})]


def test_packed_lines_are_read(tmp_path):
    path = written(tmp_path, "a.jsonl.gz", gzip.compress(b'{"a": 1}\n'))
    assert found(path) == [(1, {"a": 1})]


def test_a_row_of_an_array_has_the_line_where_it_begins(tmp_path):
    path = written(tmp_path, "a.json", '[\n  {"a": 1},\n  {\n    "a": [2]\n  }, {"a": 3}\n]\n')
    assert found(path) == [(2, {"a": 1}), (3, {"a": [2]}), (5, {"a": 3})]
    assert [row.raw for row in rows.read(path)][1] == '{\n    "a": [2]\n  }'


def test_a_file_may_hold_one_row_over_many_lines(tmp_path):
    assert found(written(tmp_path, "a.json", '{\n "a": 1,\n "b": 2\n}\n')) == [(1, {"a": 1, "b": 2})]


def test_a_folder_is_all_its_published_files_in_the_order_of_their_names(tmp_path):
    for name in ("b/2.json", "a/1.json", "b/1.json", "b/readme.md"):
        written(tmp_path, name, "{}")
    assert rows.find(tmp_path) == [str(tmp_path / name) for name in ("a/1.json", "b/1.json", "b/2.json")]
    assert rows.find(tmp_path / "b" / "*.json") == [str(tmp_path / name) for name in ("b/1.json", "b/2.json")]


def test_csv_has_no_header_and_may_hold_ends_of_lines(tmp_path):
    path = written(tmp_path, "algebra_dev.csv", '"1\n2",a\nb,"c,d"\n')
    assert found(path) == [
        (1, {"cells": ["1\n2", "a"], "file": "algebra_dev"}),
        (3, {"cells": ["b", "c,d"], "file": "algebra_dev"}),
    ]


def test_xml_gives_attributes_and_parts_of_each_problem(tmp_path):
    text = '<?xml version="1.0"?>\n<P><S>\n<Problem ID="n1" Grade="1">\n<Solution-Type>Sum</Solution-Type>\n</Problem>'
    path = written(tmp_path, "a.xml", f"{text}\n</S></P>\n")
    assert found(path) == [(5, {"id": "n1", "grade": "1", "solution_type": "Sum"})]


def test_a_question_and_its_answer_stand_in_a_pair_of_lines(tmp_path):
    path = written(tmp_path, "algebra__linear_1d.txt", "Solve x=1.\n1\nSolve y=2.\n")
    (row, lost) = rows.read(path)
    assert (row.line, row.columns) == (1, {"question": "Solve x=1.", "answer": "1", "module": "algebra__linear_1d"})
    assert (lost.line, lost.columns, lost.why) == (3, None, "a question without the line of its answer")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"a": 1', "not JSON: Expecting ',' delimiter"),
        (b'{"a": NaN}', "not JSON: NaN is not JSON"),
        (b"[1]", "a row is a JSON object"),
        (b'{"a": "\xff"}', "not JSON: 'utf-8' codec"),
        (b"[" * 200_000, "not JSON: "),
    ],
)
def test_a_line_that_is_no_object_is_said_and_those_behind_it_are_read(tmp_path, line, why):
    first, second, third = rows.read(written(tmp_path, "a.jsonl", b'{"a": 1}\n' + line + b'\n{"a": 3}\n'))
    assert (second.line, second.columns) == (2, None)
    assert second.why.startswith(why)
    assert (first.columns, third.columns) == ({"a": 1}, {"a": 3})


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.json", '[\n{"a": 1},\n{"a": \n]', 3),
        ("a.json", '[\n{"a": 1},\n', 3),
        ("a.xml", "<P>\n<Problem>\n</P>\n", 3),
    ],
)
def test_where_a_file_that_is_not_of_lines_breaks_off_is_named(tmp_path, name, text, line):
    with pytest.raises(ValueError, match=rf"{name}, line {line}: .* cannot be read from here on"):
        found(written(tmp_path, name, text))


def test_a_file_of_another_format_and_a_missing_one_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.pkl: a published file ends in \.jsonl, "):
        rows.find(written(tmp_path, "a.pkl", ""))
    with pytest.raises(FileNotFoundError, match=r"b\.json: no published file here"):
        rows.find(tmp_path / "b.json")


def test_an_entity_that_swells_is_refused(tmp_path):
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    path = written(tmp_path, "a.xml", f"<!DOCTYPE P [{entities}]>\n<P><Problem><A>&i;</A></Problem></P>")
    with pytest.raises(ValueError, match="cannot be read from here on"):
        found(path)


def test_parquet_gives_the_rows_of_all_its_batches_or_names_its_package(tmp_path):
    path = tmp_path / "a.parquet"
    if importlib.util.find_spec("pyarrow") is None:
        path.write_bytes(b"PAR1")
        with pytest.raises(ModuleNotFoundError, match="parquet needs the package pyarrow: pip install pyarrow"):
            found(str(path))
        return
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist([{"a": 1, "b": ["é"]}, {"a": None, "b": []}]), path)
    assert found(str(path)) == [(1, {"a": 1, "b": ["é"]}), (2, {"a": None, "b": []})]


def test_the_digest_of_files_changes_with_any_of_them(tmp_path):
    paths = [written(tmp_path, name, name) for name in ("a.json", "b.json")]
    before = rows.digest(paths)
    assert before != rows.digest(paths[:1])
    written(tmp_path, "b.json", "c")
    assert rows.digest(paths) != before
