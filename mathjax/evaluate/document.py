"""A page that stands by itself: no network, and every text from a model is text, never markup or code."""

import base64
import hashlib
import json
import pathlib
from html import escape

from mathjax.evaluate.report import percent

HERE = pathlib.Path(__file__).parent
STYLE = (HERE / "page.css").read_text(encoding="utf-8")
SCRIPT = "".join((HERE / name).read_text(encoding="utf-8") for name in ("mathml.js", "browser.js"))
POLICY = (  # the page loads nothing, and no script but its own runs
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"
    + base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    + "'"
)


def document(title: str, parts: list[str], attempts: dict[str, list[dict]], end: str = "") -> str:
    """A page with parts that are HTML, a browser of attempts, and an end."""
    data = json.dumps({name: _shared(lines) for name, lines in attempts.items()}, ensure_ascii=True)
    data = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(part for part in parts if part)
        + f"\n{_BROWSER}\n{end}\n</main>\n"
        + f'<script type="application/json" id="attempts">{data}</script>\n<script>{SCRIPT}</script>\n</body></html>\n'
    )


_BROWSER = (
    '<h2>Attempts</h2><div class="controls">'
    '<select id="benchmark" aria-label="benchmark"><option value="">all benchmarks</option></select>'
    '<select id="state" aria-label="verdict"><option value="all">all</option><option value="wrong">wrong</option>'
    '<option value="right">right</option><option value="protocols">protocols differ</option></select>'
    '<select id="error" aria-label="kind of error"><option value="">any kind of error</option></select>'
    '<input id="search" type="search" placeholder="search questions and answers" aria-label="search"></div>'
    '<p class="soft" id="count"></p><div id="list"></div><button id="more" hidden></button>'
)


def lines(titles, found) -> str:
    """A table of rows of cells that are HTML already."""
    head = "".join(f"<th>{title}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(map(_cell, cells))}</tr>" for cells in found)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _cell(html):
    """A cell; a long one is text that may be broken into lines."""
    return f'<td class="text">{html}</td>' if len(html) > 16 and " " in html and "<" not in html else f"<td>{html}</td>"


def _shared(found):
    """Attempts with the questions they share told once."""
    questions, places, attempts = [], {}, []
    for line in found:
        key = (line["question"], line["truth"])
        if key not in places:
            places[key] = len(questions)
            questions.append({"question": line["question"], "truth": line["truth"]})
        kept = {name: value for name, value in line.items() if name not in ("question", "truth")}
        attempts.append(kept | {"question": places[key]})
    return {"questions": questions, "attempts": attempts}


def bar(share) -> str:
    """The accuracy as a bar, its interval as a line over it."""
    low, high = (120 * end for end in share["interval"])
    width = 120 * (share["accuracy"] or 0)
    return (
        f'<svg class="bar" viewBox="0 0 120 14" role="img" aria-label="{percent(share["accuracy"])}">'
        '<rect class="track" y="3" width="120" height="8" rx="2"/>'
        f'<rect class="fill" y="3" width="{width:.1f}" height="8" rx="2"/>'
        f'<path class="whisker" d="M{low:.1f} 7H{high:.1f}M{low:.1f} 4v6M{high:.1f} 4v6"/></svg>'
    )
