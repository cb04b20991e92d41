"""Published data sets as files of records: counts, malformed rows, the hub, and every file there is here."""

import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading

import pytest

from data_gen.sources import hub, job
from mathjax import config, records

GOOD = {"question": "1+1?", "answer": "<<1+1=2>>\n#### 2"}
BAD = {"question": "1+1?", "answer": "2"}


def public(path, **settings):
    return config.PublicData(**{"name": "gsm8k", "path": str(path), "split": "test"} | settings)


def published(tmp_path, *lines):
    path = tmp_path / "test.jsonl"
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def test_records_and_a_manifest_are_written(tmp_path):
    path = published(tmp_path, GOOD, GOOD)
    manifest = job.run(public(path, rows=2), tmp_path / "out")
    found = records.read(tmp_path / "out" / job.FILE)
    assert [record.source for record in found] == ["gsm8k/test"] * 2
    assert manifest == json.loads((tmp_path / "out" / job.MANIFEST).read_text())
    assert manifest["files"] == {"records.jsonl": {"rows": 2, "sha256": records.digest(tmp_path / "out" / job.FILE)}}
    assert manifest["source"] == {"path": str(path), "files": 1, "sha256": records.digest(path)}
    assert manifest["licence"] == "MIT"
    assert manifest["counts"] == {
        "rows": 2,
        "records": 2,
        "rejected": 0,
        "without_answer": 0,
        "sources": {"gsm8k/test": 2},
        "styles": {"cot": 2},
    }


def test_the_same_file_gives_the_same_bytes(tmp_path):
    path = published(tmp_path, GOOD)
    manifests = [job.run(public(path, rows=1), tmp_path / name) for name in ("a", "b")]
    assert manifests[0]["files"] == manifests[1]["files"]


@pytest.mark.parametrize("lines", [[GOOD, BAD], [GOOD, "{\n"]])
def test_a_malformed_row_stops_the_job_and_nothing_is_written(tmp_path, lines):
    path = published(tmp_path, *lines)
    with pytest.raises(ValueError, match=rf"{re.escape(str(path))}, line 2: .*; with config\.on_malformed=quarantine"):
        job.run(public(path, rows=2), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_malformed_rows_are_set_apart_with_their_place_and_count(tmp_path):
    path = published(tmp_path, BAD, GOOD, "{\n")
    manifest = job.run(public(path, rows=3, on_malformed="quarantine"), tmp_path / "out")
    assert {name: manifest["counts"][name] for name in ("rows", "records", "rejected")} == {
        "rows": 3,
        "records": 1,
        "rejected": 2,
    }
    first, second = map(json.loads, (tmp_path / "out" / job.REJECTED).read_text().splitlines())
    assert first == {
        "file": str(path),
        "line": 1,
        "reason": "no answer behind '#### ': '2'",
        "raw": json.dumps(BAD),
    }
    assert (second["line"], second["raw"]) == (3, "{")
    assert manifest["files"][job.REJECTED]["rows"] == 2


def test_rows_of_an_earlier_run_do_not_stay_rejected(tmp_path):
    job.run(public(published(tmp_path, BAD), rows=1, on_malformed="quarantine"), tmp_path / "out")
    job.run(public(published(tmp_path, GOOD), rows=1, on_malformed="quarantine"), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [job.MANIFEST, job.FILE]


@pytest.mark.parametrize(("count", "wanted"), [(0, "1,319"), (3, "3")])
def test_another_number_of_rows_than_published_is_refused(tmp_path, count, wanted):
    path = published(tmp_path, GOOD, GOOD)
    with pytest.raises(ValueError, match=rf"2 rows where {wanted} are published; config\.rows says"):
        job.run(public(path, rows=count), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_any_number_of_rows_can_be_allowed(tmp_path):
    assert job.run(public(published(tmp_path, GOOD), rows=-1), tmp_path / "out")["counts"]["rows"] == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "gsm9k"}, "config.name: no data set 'gsm9k'; there are gsm8k, "),
        ({"split": "dev"}, r"config\.split: .* are train \(7,473\), test \(1,319\); for 'dev', config\.rows must"),
        ({"name": "math_aps"}, r"whose rows are known are none; for 'test', config\.rows must say"),
        ({"path": "hub:gsm8k"}, "a file on the hub is hub:OWNER/NAME/FILE, got 'hub:gsm8k'"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        job.run(public(**{"path": published(tmp_path, GOOD)} | settings), tmp_path / "out")


def test_a_problem_of_math_is_named_as_math_500_names_it(tmp_path):
    for name in ("test/algebra/1.json", "test/counting_and_probability/22.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        row = {"problem": "1+1?", "solution": "\\boxed{2}", "level": "Level 1", "type": "Algebra"}
        (tmp_path / name).write_text(json.dumps(row))
    found = [record.extra["unique_id"] for record in job.read("math", tmp_path)]
    assert found == ["test/algebra/1.json", "test/counting_and_probability/22.json"]


def test_a_row_in_a_folder_of_single_files_is_named_by_its_file(tmp_path):
    (tmp_path / "algebra").mkdir()
    (tmp_path / "algebra" / "1.json").write_text('{\n "problem": "P",\n "solution": "$\\\\boxed{7}$"\n}')
    (tmp_path / "algebra" / "2.json").write_text('{"problem": "P", "solution": "7"}')
    found = job.read("math", tmp_path)
    assert next(found).answer == "7"
    with pytest.raises(ValueError, match=r"algebra/2\.json, line 1: no box"):
        next(found)


class _Hub(http.server.BaseHTTPRequestHandler):
    """What the hub answers for one file, at one revision."""

    def do_HEAD(self):
        body = (json.dumps(GOOD) + "\n").encode()
        there = self.path == "/datasets/someone/some-data/resolve/v1/sub/test.jsonl"
        self.send_response(200 if there else 404)
        if there:
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", "0" * 40)
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
            body = b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return body

    def do_GET(self):
        self.wfile.write(self.do_HEAD())

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_of_the_hub_is_fetched_once(tmp_path, endpoint):
    path = hub.fetch("hub:someone/some-data/sub/test.jsonl", "v1", tmp_path, endpoint)
    (record,) = job.read("gsm8k", path)
    assert record.answer == "2"
    unreachable = "http://127.0.0.1:9"
    assert hub.fetch("hub:someone/some-data/sub/test.jsonl", "v1", tmp_path, unreachable) == path


def test_a_file_that_the_hub_does_not_have_is_named(tmp_path, endpoint):
    with pytest.raises(OSError, match=r"hub:someone/some-data/none\.jsonl at 'v1': "):
        hub.fetch("hub:someone/some-data/none.jsonl", "v1", tmp_path, endpoint)


def test_without_a_network_it_is_said_what_to_do(tmp_path):
    code = "from data_gen.sources import hub; hub.fetch('hub:someone/some-data/test.jsonl', 'main')"
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=offline, timeout=60)
    assert "OSError: hub:someone/some-data/test.jsonl at 'main' is not on this machine" in done.stderr
    assert "give its local path" in done.stderr
