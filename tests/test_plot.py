"""Series as SVG: every point is there, lines go where they should, names are escaped."""

import xml.etree.ElementTree as ET

import pytest

from mathjax import plot


def parts(drawn, kind):
    return [element for element in ET.fromstring(drawn) if element.tag.endswith(f"}}{kind}")]


def test_points_are_joined_in_their_order_or_have_their_line():
    series = {"a <b>": [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)], "c": [(1.0, 1.0)]}
    joined = plot.svg(series, across="k", up="share")
    assert len(parts(joined, "circle")) == 4
    assert [path.get("d").count("L") for path in parts(joined, "path")[1:]] == [2, 0]
    assert "a <b>" in {text.text for text in parts(joined, "text")}
    lined = plot.svg(series, across="k", up="share", lines={"c": (0.0, 1.0)})
    assert len(parts(lined, "path")) == 2 and len(parts(lined, "circle")) == 4


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [(0.0, float("nan"))]}])
def test_what_has_no_place_is_refused(series):
    with pytest.raises(ValueError, match="finite points"):
        plot.svg(series, across="x", up="y")
