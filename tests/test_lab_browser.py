"""The explorer in JupyterLab, in a plain notebook and in Voilà, driven by Chromium; no host but this one is asked."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from roi import words
from roi.explore.panel import plain

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NAME = "support_replies"
TOKEN = "a-token-of-this-test"
PATIENCE = 300  # seconds, for machines that do much else
HOSTILE = (
    "<b onclick=alert(1)>Ask</b> $x^2$ =1+1 \u202egnp \\(y\\)",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</svg><script>1</script>", '" onload="alert(1)', "'><b>",
    "&lt;script&gt;", "\u202egnp.exe", "\u2066x\u2069", "=1+1", "{{7*7}}", "${x}", "]]>", "a\x00b", "\x1b[31m", "x" * 10_000,
    "<svg/onload=alert(1)>", "<iframe src=javascript:alert(1)>", "<a href='javascript:1'>x</a>", "<style>*{}</style>",
    "<!-- x", "--><script>1</script>", "<math><mtext>x", "</table></div><h1>x", "`x`", "$x^2$", "\\(x\\)", "$$\\frac12$$",
    "+1", "-1", "@SUM(A1)", '=HYPERLINK("https://x.invalid")', "%3Cscript%3E", "\u200f\u200eab", "\u202dab", "\ufeffx",
    "مرحبا", "\U0001f600", "{% raw %}", "<B>" * 1_600,
)  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (.ci/run installs it)"),
]


@pytest.fixture
def project(tmp_path):
    """An example as a project of its own: title, owner and remedies have names that would like to be more than text."""
    (tmp_path / "params").mkdir()
    shutil.copytree(ROOT / "data" / NAME, tmp_path / "data" / NAME)
    shutil.copy(ROOT / "params" / "_policy.yaml", tmp_path / "params")
    given = yaml.safe_load((ROOT / "params" / f"{NAME}.yaml").read_text(encoding="utf-8"))
    given["about"] |= {"title": HOSTILE[0], "owner": HOSTILE[1]}
    given["remedies"] = [
        {"name": name, "addresses": "workflow", "cost": 900, "weeks": 1, "owner": name} for name in HOSTILE
    ]
    given["remedies"][0]["removes_share"] = 0.1
    text = yaml.safe_dump(given, sort_keys=False, allow_unicode=True)
    (tmp_path / "params" / f"{NAME}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@contextmanager
def served(project: Path, *options: str) -> Iterator[str]:
    """`roi lab` on a free port of this machine, without a browser, until it answers; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {f"JUPYTER_{x}_DIR": str(project / f".jupyter_{x}") for x in ("CONFIG", "DATA", "RUNTIME")}
    command = [
        sys.executable,
        "-c",
        "from roi.cli import main; main()",
        "lab",
        *options,
        "--no-browser",
        f"--port={port}",
    ]
    with (project / "served.log").open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=project / "data",
            env={**os.environ, **places},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + PATIENCE
        while not _answers(address):
            assert server.poll() is None, (project / "served.log").read_text()
            assert time.monotonic() < end, "it never answered"
            time.sleep(0.2)
        yield address
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)  # what it started with it: the group is its own
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def browsed(address: str, asked: list[str]):
    """A page whose every request to another host is refused and noted."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE * 1000)

        def pass_on(route):
            if route.request.url.startswith((address, "data:", "blob:")):
                route.continue_()
            else:
                asked.append(route.request.url)
                route.abort()

        context.route("**/*", pass_on)
        yield context.new_page()
        browser.close()


def explored(page, project: Path) -> None:
    """Move, be refused, compare, save, reset and open what was saved: what a hand does."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE * 1000)
    panel = page.locator(".roi-explore")
    verdict, table = panel.locator(".roi-shown h2"), panel.locator("table")
    expect(verdict).to_contain_text("Scale")
    rows = panel.locator("table tr")
    first, before = verdict.inner_text(), rows.all_inner_texts()
    assert panel.locator("[role=img] svg path").count() >= 2
    below = table.bounding_box()["y"] - verdict.bounding_box()["y"]
    assert 0 < below < 100, "the table stands with the verdict"
    refused(page, first, before)

    page.get_by_role("button", name="Keep to compare").click()
    expect(panel.locator("tr.roi-now").first).to_be_visible()
    adoption = dial(page, "Adoption in the end").locator("[role=slider]")
    adoption.focus()
    adoption.press("Home")  # nobody uses it
    expect(verdict).to_contain_text("the value is thin")
    expect(page.get_by_text("gates open.")).to_be_visible()
    expect(page.get_by_text("Kept: Scale", exact=True)).to_be_visible()
    # Only a decision puts it forward, no sketch does.
    expect(rows.filter(has_text="Fix, then stop")).to_have_count(1)
    moved, figures = verdict.inner_text(), panel.locator("tr.roi-now td:not(.roi-none)").all_inner_texts()
    assert len(figures) >= 6, "nothing was read while it was drawn"

    assert len(set(HOSTILE)) == 40
    labels = page.locator(".widget-checkbox")
    shown = [text.removeprefix("\u200b") for text in labels.all_text_contents()]  # which widgets put first
    assert shown == [plain(name, 90) for name in HOSTILE]
    assert labels.locator("label *:not(input):not(span)").count() == 0
    assert panel.locator(":is(mjx-container, script, img, iframe, a)").count() == 0
    assert verdict.locator("*").count() == 1  # the title's own <bdi>
    assert verdict.locator("bdi").text_content() == words.shorten(HOSTILE[0], 90)

    panel.get_by_label("Name", exact=True).fill("hardly_used")
    page.get_by_role("button", name="Save as parameters").click()
    expect(panel.locator("code")).to_have_text("params/hardly_used.yaml")
    text = (project / "params" / "hardly_used.yaml").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if "# explored: " in line] == [
        line
        for line in text.splitlines()
        if "# explored: economics.adoption.ceiling was" in line or "# explored: was" in line
    ]

    page.get_by_role("button", name="Reset").click()
    expect(panel.locator("tr.roi-now")).to_have_count(0)
    expect(verdict).to_have_text(first)
    expect(rows).to_have_text(before, use_inner_text=True)
    page.locator(".widget-dropdown select").select_option("hardly_used")
    expect(verdict).to_have_text(moved)
    expect(panel.locator("table td:not(:empty)")).to_have_text(figures, use_inner_text=True)


def dial(page, label: str):
    return page.locator(".roi-dial", has_text=label)


def refused(page, first: str, before: list[str]) -> None:
    """What a file may not say is refused beside its number, with no verdict, until it is mended."""
    from playwright.sync_api import expect

    panel = page.locator(".roi-explore")
    verdict, cash = panel.locator(".roi-shown h2"), page.get_by_label("Saved time that becomes cash")
    stated = cash.input_value()
    cash.fill("0.95")
    cash.press("Enter")
    expect(dial(page, "becomes cash").get_by_role("alert")).to_contain_text("cannot exceed 1")
    expect(verdict).to_contain_text("no verdict")
    assert panel.locator("table").count() == panel.locator("[role=img]").count() == 0
    assert page.get_by_role("button", name="Save as parameters").is_disabled()
    cash.fill(stated)
    cash.press("Enter")
    expect(panel.get_by_role("alert")).to_have_count(0)
    expect(verdict).to_have_text(first)
    expect(panel.locator("table tr")).to_have_text(before, use_inner_text=True)
    # There and back again on the slider it is what the file states, to the last digit.
    slider = dial(page, "becomes cash").locator("[role=slider]")
    slider.focus()
    slider.press("PageUp")
    expect(dial(page, "becomes cash")).to_contain_text("Stated: ")
    slider.press("PageDown")
    expect(dial(page, "becomes cash")).not_to_contain_text("Stated: ")
    assert cash.input_value() == stated
    expect(verdict).to_have_text(first)


def inaccessible(page) -> list[str]:
    """What axe-core finds wrong with the explorer, less what is its widgets' own.

    ipywidgets gives the handle of a slider no name and leaves no way to; the number above it is labelled, takes the same
    values and more, and moves by the arrow keys.
    """
    axe = pytest.importorskip("axe_playwright_python")
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run('.roi-explore', {resultTypes: ['violations']})")["violations"]
    nodes = [f"{v['id']}: {n['html'][:200]}" for v in found for n in v["nodes"]]
    return [x for x in nodes if not (x.startswith("aria-input-field-name: ") and "noUi-handle" in x)]


def waited(page) -> str:
    """Milliseconds on the clock from a key on a slider to the picture drawn anew, and to the verdict: medians of some.

    Page up and Page down: Notebook 7 listens before its widgets do, and keeps the arrow keys for its cells. Each key is
    pressed at rest, and where it matters: of what does not change nothing is drawn anew, and there is nothing to time.
    """
    from playwright.sync_api import expect

    page.locator(".roi-explore .widget-dropdown select").select_option(NAME)
    expect(page.locator(".roi-shown h2")).to_contain_text("Scale")
    page.evaluate(
        """() => {
            document.addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
            const redrawn = () => {
                window.redrawn ??= performance.now();
                const said = document.querySelector(".roi-shown h2")?.textContent ?? "deciding";
                if (!said.includes("deciding")) window.decided ??= performance.now();
            };
            new MutationObserver(redrawn).observe(
                document.querySelector(".roi-explore .roi-shown"), {subtree: true, childList: true});
        }"""
    )
    slider = dial(page, "Labour cost").locator("[role=slider]")
    slider.focus()
    found = []
    for key in ("PageUp", "PageDown") * 4:
        page.evaluate("() => { window.redrawn = window.decided = undefined; }")
        slider.press(key)
        page.wait_for_function("() => window.decided")
        found.append(
            page.evaluate("() => [window.redrawn - window.pressed, window.decided - window.pressed]")
        )
    picture, verdict = (sorted(column)[len(found) // 2] for column in zip(*found, strict=True))
    assert picture < verdict, "the sketch comes before the decision"
    return f"{picture:.0f} ms from a key to the picture, {verdict:.0f} ms to the verdict"


def test_the_explorer_works_in_jupyterlab_and_in_a_plain_notebook(project):
    """Both of one server: Jupyter Notebook 7 is a page of it, with the notebook alone."""
    asked: list[str] = []
    options = ("--ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}", "--allow-root")
    with served(project, *options) as address, browsed(address, asked) as page:
        page.goto(f"{address}/lab/tree/notebooks/explore.ipynb?token={TOKEN}")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        run_all(page)
        explored(page, project)
        print(f"JupyterLab: {waited(page)}")
        assert page.get_by_text("Would you like to get notified").count() == 0
        (project / "params" / "hardly_used.yaml").unlink()
        page.goto(f"{address}/notebooks/notebooks/explore.ipynb?token={TOKEN}")
        # A page that has not met its kernel yet forgets what is run; the kernel itself may long be idle, of the other page.
        page.wait_for_function(
            """() => document.querySelector(".jp-KernelName")?.textContent.startsWith("Python 3")
                && document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status === "idle" """
        )
        page.wait_for_timeout(500)
        run_all(page)
        explored(page, project)
        print(f"Notebook 7: {waited(page)}")
    assert asked == []


def run_all(page) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def test_the_explorer_works_as_a_page_without_code(project):
    asked: list[str] = []
    options = ("--page", "--Voila.ip=127.0.0.1", f"--token={TOKEN}")
    with served(project, *options) as address, browsed(address, asked) as page:
        page.goto(f"{address}/?token={TOKEN}")
        page.locator(".roi-shown h2").wait_for()
        assert page.get_by_text("open_pilot").count() == 0
        assert inaccessible(page) == []
        explored(page, project)
        print(f"Voilà: {waited(page)}")
    assert asked == []
