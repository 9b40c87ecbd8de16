"""Every link of a page leads somewhere; of a whole batch tests/test_offline.py and benchmarks/pages.py ask it."""

from __future__ import annotations

from pathlib import Path

from linked import dead_links

from roi.report.page import _contents, page


def test_dead_links_and_names_that_come_twice_are_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.html").write_text(
        '<p id="p"><a href="#p">a</a><a class="b" href="#q">b</a><a href="y%20z.html#r">c</a><a href="no.html">d</a>'
        '<a href="y z.html#s">e</a><i id="p">'
    )
    (tmp_path / "a/y z.html").write_text('<p id="r"><a href="../a/x.html#p">f</a>')
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/old.html").write_text('<a href="gone.html">g</a>')
    assert dead_links(tmp_path) == [
        "a/x.html: #p twice",
        "a/x.html: #q",
        "a/x.html: no.html",
        "a/x.html: y z.html#s",
    ]


def test_contents_lead_to_their_headings_whatever_these_are_called(tmp_path: Path) -> None:
    body = _contents("<h1>x</h1><!-- contents --><h2>Next</h2><h2>next</h2><h2>Next</h2><h2>?!</h2>")
    (tmp_path / "x.html").write_text(page("x", body), encoding="utf-8")
    assert dead_links(tmp_path) == []
    assert (tmp_path / "x.html").read_text(encoding="utf-8").count('href="#') == 5
