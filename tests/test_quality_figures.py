"""Pictures of the audit: static, honest about what is not known, and said in words made from the numbers."""

from __future__ import annotations

import html
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from roi.report.figures import NARROW, WIDE
from roi.report.quality_figures import MOST_ROWS, calls_figure, defects_figure


def rate(k: int, n: int) -> dict[str, Any]:
    return {"n": n, "k": k, "share": k / n, "low": max(k / n - 0.05, 0.0), "high": min(k / n + 0.05, 1.0)}


def record(
    fields: dict[str, tuple[int, int]], segments: tuple[str, ...] = ("email", "post")
) -> dict[str, Any]:
    """A record with fields that are defective in so many of 100 production and 40 demo cases of each segment."""
    n, m = 100 * len(segments), 40 * len(segments)

    def cell(k: int, size: int) -> dict[str, Any]:
        return {
            "defective": rate(k * len(segments), size * len(segments)),
            "missing": rate(0, size),
            "found": {},
        }

    inputs = {
        "cases": {"production": n, "demo": m},
        "defective": {"production": rate(30, n), "demo": rate(2, m)},
        "by_segment": [{"segment": s, "production": rate(20, 100), "demo": rate(1, 40)} for s in segments],
        "fields": [
            {
                "field": name,
                "production": cell(k, 100),
                "demo": cell(shown, 40),
                "by_segment": [
                    {"segment": s, "production": rate(k, 100), "demo": None if i else rate(shown, 40)}
                    for i, s in enumerate(segments)
                ],
            }
            for name, (k, shown) in fields.items()
        ],
    }
    calls = [
        {"arm": "pilot", "system": "crm", "scope": f"s{i}", "failed": rate(i, 50), "denied": rate(1, 50)}
        for i in range(3)
    ]
    calls.append({"arm": "pilot", "system": "mail", "scope": "x", "failed": None, "denied": None})
    return {
        "audit": {"inputs": inputs, "integration": {"by_system": calls, "headline": "4 of 150 calls failed."}}
    }


def cells(figure: Any) -> list[dict[str, Any]]:
    """The data that the map is drawn from."""
    (found,) = figure.draw(WIDE).to_dict()["datasets"].values()
    return list(found)


FIELDS = {"policy_no": (21, 1), "day <b>": (9, 0), "amount": (13, 2)}


@pytest.mark.parametrize("make", [defects_figure, calls_figure])
def test_a_figure_is_static_and_says_its_numbers(make: Any) -> None:
    figure = make(record(FIELDS))
    assert figure.question.endswith("?")
    assert len(re.findall(r"\d", figure.alt)) >= 4
    figure.draw(NARROW).to_dict()  # raises where the schema of charts is not kept
    for drawing in figure.drawings():
        ElementTree.fromstring(drawing)
        assert not re.search(r"<script|<image|<foreignObject|href=|url\(http|@import|data:", drawing)


def test_the_worst_field_comes_first_and_what_is_not_known_is_no_zero() -> None:
    figure = defects_figure(record(FIELDS))
    assert figure is not None
    rows = cells(figure)
    assert [r["field"] for r in rows[::4]] == ["policy_no", "amount", "day <b>"]
    assert {r["text"] for r in rows if r["column"] == "demo: post"} == {"?"}
    assert [r["text"] for r in rows if r["field"] == "policy_no"] == ["2", "?", "21", "21"]
    assert figure.alt.index("policy_no") < figure.alt.index("amount") < figure.alt.index("day <b>")
    assert "21\u00a0% in production" in figure.alt
    assert "<b>" not in figure.drawings()[0]
    assert html.escape("day <b>") in figure.drawings()[0]


def test_many_fields_are_cut_and_said_to_be() -> None:
    figure = defects_figure(record({f"field number {i}": (40 - i, 0) for i in range(30)}, ("all",)))
    assert figure is not None
    assert f"{30 - MOST_ROWS} fields with fewer defects are not shown" in figure.alt
    assert "production: all" not in str(figure.draw(WIDE).to_dict())


def test_long_names_that_begin_alike_stay_apart() -> None:
    long = "a name of a column that says everything about itself, number "
    figure = defects_figure(record({f"{long}{i}": (5 + i, 0) for i in range(3)}))
    assert figure is not None
    rows = cells(figure)
    assert len({r["field"] for r in rows}) == 3


def test_nothing_to_draw_is_no_figure() -> None:
    for empty in ({}, {"audit": {"inputs": None, "integration": None}}):
        assert defects_figure(empty) is None
        assert calls_figure(empty) is None
    bare = record(FIELDS)
    bare["audit"]["integration"]["by_system"] = bare["audit"]["integration"]["by_system"][-1:]
    assert calls_figure(bare) is None
