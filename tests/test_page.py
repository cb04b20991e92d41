"""The report page: what is in it, and how it behaves in a browser."""

import html.parser
import json
import os
import pathlib
import select
import shutil
import subprocess
import time

import pytest

from mathjax.evaluate import benchmarks, compare, document, judged, page, report, run
from mathjax.records import Record
from mathjax.verify import Verifier

EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)>&\"'\ud800\x00 $\\frac{<b>}{\\href{x}{y}}$"
TEXTS = [  # at questions whose truth is 19
    "5*3=15, 15+4=19. The answer is 19.",
    "First 5*3=15.\nThen 15+4=18.\nThe answer is 18.",
    "5+3=8, 8+4=12. The answer is 12.",
    "",
    EVIL,
    "Half of it is $\\frac{38}{2} = \\sqrt{361}$, and $5 and $6 are prices. #### 19",
]
FORMULAS = {  # LaTeX, and the tags and text that come of it
    "\\frac12": ("mfrac", "12"),
    "x^{2}_i": ("msubsup", "xi2"),
    "\\sqrt[3]{8}": ("mroot", "83"),
    "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}": ("mtable", "(1234)"),
    "\\sum_{i=1}^n i": ("munderover", "∑i=1ni"),
    "\\left[0,1\\right)": ("mo", "[0,1)"),
    "\\text{if } a\\neq b": ("mtext", "if a≠b"),
    "\\unknown{a}": ("mtext", "\\unknowna"),
    "\\constructor\\toString": ("mtext", "\\constructor\\toString"),
    "{{{{": ("mrow", ""),
    "a'": ("msup", "a′"),
    "0.\\overline{09}": ("mrow.overlined", "0.09"),
    "\\boxed{7}": ("mrow.boxed", "7"),
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-pipe"
)


def lines(count, texts=TEXTS, **columns):
    """Judged attempts at `count` questions, by two protocols."""
    with Verifier(2) as verifier:
        made = (
            (
                Record(
                    question=f"{i}: Ann has 5 bags of 3 apples, for $2 each, and gets 4 more. How many?", answer="19"
                ),
                {"index": i, "sample": 0, "completion": texts[i % len(texts)], "finish": "stop", "tokens": 9} | columns,
                ("strict", "lm_eval_strict"),
            )
            for i in range(count)
        )
        return judged.judge(made, verifier)


def whole(found, **changes):
    result = report.summarise(found, groups={"last digit": lambda record: [record.question.partition(":")[0][-1]]})
    cost = {"tokens": 54, "seconds": 2.0, "tokens_per_second": 27.0}
    overlap = {"records": 7, "questions": 1, "exact": 1, "masked": 0, "half": 0, "ngram": 0}
    match = {"index": 0, "kind": "exact", "where": "train.jsonl, line 3", "record": EVIL}
    return {
        "title": "Title",
        "checkpoint": {"path": "runs/a/checkpoints/7", "step": 7, "parameters": 12345},
        "recipe": {"template": "plain"},
        "learning_curve": [{"step": step, "loss": 3 / step, "tokens_seen": 100 * step} for step in range(1, 30)],
        "device": "1 x cpu",
        "versions": {"mathjax": "0"},
        "means": benchmarks.means({"gsm8k": 0.5, "svamp": 0.25}),
        "benchmarks": {"exam": result | {"cost": cost, "warning": "", "contamination": overlap | {"matches": [match]}}},
    } | changes


class Page(html.parser.HTMLParser):
    """The tags of a page, its attributes and texts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.texts.append(data)


@pytest.fixture(scope="module")
def small():
    found = lines(12)
    return whole(found), {"exam": [one.line() for one in found]}


def test_the_page_is_closed_and_asks_for_nothing_from_outside(small):
    text = page.render(*small)
    seen = Page(text)
    assert seen.open == []
    assert seen.tags.count("script") == 2  # its data and its own
    assert not {"link", "img", "iframe", "object", "embed"} & set(seen.tags)
    assert not {"src", "href"} & {name for name, _ in seen.attributes}
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert "url(" not in document.STYLE and "@import" not in document.STYLE
    assert "default-src 'none'" in text and "innerHTML" not in document.SCRIPT


def test_every_text_of_a_model_or_a_recipe_is_text(small):
    value, attempts = small
    evil = value | {"title": EVIL, "recipe": {EVIL: EVIL}, "device": EVIL}
    evil["benchmarks"] = {EVIL: value["benchmarks"]["exam"]}
    text = page.render(evil, {EVIL: attempts["exam"]})
    assert Page(text).tags.count("script") == 2
    assert "img" not in Page(text).tags
    text.encode("utf-8", "replace")


def test_the_page_shows_the_numbers_of_the_report(small):
    value, attempts = small
    shown = " ".join(Page(page.render(value, attempts)).texts)
    exam = value["benchmarks"]["exam"]
    assert f"{exam['correct']} of {exam['n']} right" in shown
    for share in (exam, *exam["protocols"].values(), *exam["groups"]["last digit"].values()):
        assert report.percent(share["accuracy"]) in shown
    for said in (report.interval(exam), "Learning curve", "train.jsonl, line 3", "deepmind_mathematics"):
        assert said in shown


def test_a_report_without_a_learning_curve_is_shown_without_one(small):
    assert "Learning curve" not in page.render(small[0] | {"learning_curve": []}, small[1])


def test_ten_thousand_attempts_are_reported_in_time(tmp_path):
    found = lines(10_000)
    begun = time.process_time()
    run.write(tmp_path, whole(found), {"exam": [one.line() for one in found]})
    assert time.process_time() - begun < 5
    assert (tmp_path / "report.html").stat().st_size > 1e6


class Browser:
    """Headless Chromium, driven by the DevTools protocol through a pipe."""

    def __init__(self, folder):
        to_read, self.write = os.pipe()
        self.read, to_write = os.pipe()
        script = f'exec "$0" {FLAGS} --user-data-dir="$1" about:blank 3<&{to_read} 4>&{to_write}'
        self.process = subprocess.Popen(
            ["bash", "-c", script, CHROMIUM, str(folder)],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self.count, self.waiting, self.events, self.session = 0, b"", [], None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        os.write(
            self.write, json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0"
        )
        while True:
            answer = self._message()
            if answer.get("id") == self.count:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _message(self):
        deadline = time.monotonic() + 60
        while b"\0" not in self.waiting:
            assert select.select([self.read], [], [], max(0, deadline - time.monotonic()))[0], "Chromium is silent"
            part = os.read(self.read, 1 << 20)
            assert part, "Chromium has ended"
            self.waiting += part
        message, _, self.waiting = self.waiting.partition(b"\0")
        return json.loads(message)

    def open(self, path):
        self.ask("Page.navigate", url=pathlib.Path(path).absolute().as_uri())
        while self.value("document.readyState !== 'complete' || location.href === 'about:blank'"):
            time.sleep(0.02)

    def value(self, expression):
        """What an expression is in the page."""
        given = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in given, given
        return given["result"].get("value")

    def choose(self, **values):
        """Set controls as a user does, and how many attempts are found then."""
        for name, value in values.items():
            self.value(
                f"(() => {{ const one = document.getElementById('{name}'); one.value = {json.dumps(value)}; "
                "one.dispatchEvent(new Event('input')); })()"
            )
        return int(self.value("document.getElementById('count').textContent.split(' ')[0].replaceAll(',', '')"))

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.read)
        os.close(self.write)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not CHROMIUM:
        pytest.skip("needs Chromium")
    opened = Browser(tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    """A report of 10,000 attempts in the browser, and its values."""
    folder = tmp_path_factory.mktemp("report")
    found = lines(10_000)
    value = whole(found)
    run.write(folder, value, {"exam": [one.line() for one in found]})
    browser.open(folder / "report.html")
    return browser, json.loads((folder / "report.json").read_text())


def test_filters_find_what_the_report_counts(opened):
    browser, value = opened
    exam = value["benchmarks"]["exam"]
    assert browser.choose(state="all", error="", search="") == exam["n"] == 10_000
    assert browser.choose(state="right") == exam["correct"]
    assert browser.choose(state="wrong") == exam["n"] - exam["correct"]
    kinds = {kind: count for kind, count in exam["errors"].items() if count}
    assert browser.value("[...document.getElementById('error').options].map((one) => one.value)") == [
        "",
        *sorted(kinds),
    ]
    assert {kind: browser.choose(state="wrong", error=kind) for kind in kinds} == kinds
    assert browser.choose(state="protocols", error="") == len(exam["changed"])
    assert browser.choose(state="all", search="#4321") == 1
    assert browser.choose(search="PRICES") == 10_000 // 6
    assert browser.choose(search="") == 10_000


def test_what_is_found_is_shown_a_page_at_a_time_and_quickly(opened):
    browser, _ = opened
    browser.choose(state="all", error="", search="")
    count = "document.querySelectorAll('article').length"
    assert browser.value(count) == 40
    browser.value("document.getElementById('more').click()")
    assert browser.value(count) == 80
    begun = time.perf_counter()
    for search in ("the answer", "12", "apples", ""):
        browser.choose(search=search)
    assert time.perf_counter() - begun < 4
    assert browser.choose(search="nothing at all") == 0
    assert browser.value("document.getElementById('more').hidden") is True
    browser.choose(search="")


def test_an_attempt_shows_question_completion_verdict_and_why(opened):
    browser, _ = opened
    browser.choose(search="#1\n", state="all")
    browser.choose(search="1: ann has", state="wrong", error="arithmetic")
    text = browser.value("document.querySelector('article').textContent")
    for said in (
        "arithmetic exam #1",
        "Ann has 5 bags",
        "Then 15+4=18.",
        "answer 18",
        "truth 19",
        "right when recomputed",
    ):
        assert said in text
    assert browser.value("document.querySelector('article mark').textContent") == "Then 15+4=18"
    browser.choose(search="", state="all", error="")


def test_mathematics_is_drawn_and_money_is_not(opened):
    browser, _ = opened
    browser.choose(search="5: ann has", state="all", error="")
    tags = browser.value("[...document.querySelectorAll('article .completion math *')].map((one) => one.localName)")
    assert {"mfrac", "msqrt"} <= set(tags)
    assert browser.value("document.querySelector('.completion math').getBoundingClientRect().height") > 15
    assert "$5 and $6 are prices" in browser.value("document.querySelector('.completion').textContent")
    browser.choose(search="")


@pytest.mark.parametrize(("text", "drawn"), FORMULAS.items())
def test_formulas_become_mathml(opened, text, drawn):
    browser, _ = opened
    tag, words = drawn
    made = f"typeset({json.dumps(f'${text}$')}).firstElementChild"
    assert browser.value(f"{made} !== null && {made}.querySelector('{tag}') !== null")
    assert browser.value(f"{made}.textContent") == words


@pytest.mark.parametrize(
    "text", ["{" * 9000, "\\frac" * 500, "\\left(" * 300, "\\begin{matrix}" * 50, "^" * 300, "}" * 99]
)
def test_no_formula_stops_the_page(opened, text):
    browser, _ = opened
    assert browser.value(f"typeset({json.dumps(f'$${text}$$')}).textContent.length") is not None


@pytest.mark.parametrize("text", ["\\[", "$$", "$a", "\\boxed{", "\\begin{align}", "\\("])
def test_no_text_stops_the_page(opened, text):
    browser, _ = opened
    begun = time.perf_counter()
    assert browser.value(f"typeset({json.dumps(text)}.repeat(40000 / {len(text)})).textContent.length") > 0
    assert time.perf_counter() - begun < 5


def test_texts_of_a_model_are_never_markup_in_the_browser(opened):
    browser, _ = opened
    assert browser.choose(search="onerror", state="all", error="") == 10_000 // 6
    assert browser.value("document.querySelectorAll('article img, article script, article a, article b b').length") == 0
    assert "<img src=x onerror=alert(1)>" in browser.value("document.querySelector('.completion').textContent")
    browser.choose(search="")


def test_a_narrow_window_has_no_sideways_scrolling_and_dark_mode_is_dark(opened):
    browser, _ = opened
    browser.ask("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)
    assert browser.value("document.documentElement.scrollWidth") <= 360
    browser.ask("Emulation.clearDeviceMetricsOverride")
    light = browser.value("getComputedStyle(document.body).backgroundColor")
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert browser.value("getComputedStyle(document.body).backgroundColor") != light == "rgb(255, 255, 255)"
    browser.ask("Emulation.setEmulatedMedia", features=[])


def test_two_runs_are_filtered_by_what_changed(browser, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, texts in ((first, TEXTS[:3]), (second, [TEXTS[1], TEXTS[1], TEXTS[0]])):
        (folder / "judged").mkdir(parents=True)
        rows = (json.dumps(one.line()) + "\n" for one in lines(30, texts))
        (folder / "judged" / "exam.jsonl").write_text("".join(rows))
    exam = compare.run(first, second, tmp_path)["benchmarks"]["exam"]
    assert (exam["only_first"], exam["only_second"], exam["neither"]) == (10, 10, 10)
    browser.open(tmp_path / "compare.html")
    assert browser.choose(state="changed") == 20
    assert browser.choose(state="gained") == browser.choose(state="lost") == 10
    assert "the other run: right" in browser.value("document.querySelector('article').textContent")


def test_the_first_wrong_segment_of_a_chain_is_marked(browser, tmp_path):
    sums = [("5+4/2*1=", "5+3*1=5+3=8"), ("12*3=", "36")]
    with Verifier(1) as verifier:
        made = (
            (
                Record(question=question, style="arithmetic"),
                {"index": i, "sample": 0, "completion": text, "finish": "stop"},
                ("strict",),
            )
            for i, (question, text) in enumerate(sums)
        )
        found = judged.judge(made, verifier)
    run.write(tmp_path, whole(found), {"exam": [one.line() for one in found]})
    browser.open(tmp_path / "report.html")
    assert browser.value("[...document.querySelectorAll('mark')].map((one) => one.textContent)") == ["5+3*1"]
    assert browser.value("document.querySelector('article .answers').textContent").startswith("answer 8 · truth 7")


def test_the_browser_reported_no_error_and_asked_the_network_for_nothing(browser, opened):
    browser.value("1")
    methods = [event["method"] for event in browser.events]
    assert "Runtime.exceptionThrown" not in methods
    said = [
        event["params"] for event in browser.events if event["method"] in ("Runtime.consoleAPICalled", "Log.entryAdded")
    ]
    assert said == []
    asked = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    assert all(url.startswith("file://") for url in asked)
