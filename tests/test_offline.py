"""A rendered report asks nothing of the network and needs no script: Chromium says so."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import accessibility, launched, opened
from linked import dead_links

from roi.batch import run_batch

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (.ci/run installs it)"),
]

PAGES = [
    "claims_intake/report.html",
    "claims_intake/1_audit.html",
    "claims_intake/3_fix.html",
    "claims_intake/4_controls.html",
    "claims_intake/5_prove_roi.html",
    "claims_intake/6_operate.html",
    "contract_summaries/report.html",
    "index.html",
]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    out = tmp_path_factory.mktemp("reports")
    files = [ROOT / "params" / f"{name}.yaml" for name in ("claims_intake", "contract_summaries")]
    assert run_batch(files, out, jobs=2).exit_code == 0
    return out


def visit(page: Path, log: Path) -> tuple[int, set[str]]:
    """Size of the picture that Chromium makes of a page without scripts and network, and every host it asked for."""
    profile = log.parent / "profile"
    (profile / "Default").mkdir(parents=True)
    off = {"profile": {"default_content_setting_values": {"javascript": 2}}}
    (profile / "Default/Preferences").write_text(json.dumps(off), encoding="utf-8")
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={profile}",
        f"--log-net-log={log}",
        "--net-log-capture-mode=Everything",
        "--hide-scrollbars",
        "--window-size=1280,720",
        f"--screenshot={log.with_suffix('.png')}",
        page.as_uri(),
    ]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    text = log.read_text(encoding="utf-8", errors="replace").rstrip().rstrip(",")
    events = json.loads(text if text.endswith("}") else text + "]}")["events"]
    addresses = [
        e["params"]["url"] for e in events if isinstance(e.get("params"), dict) and "url" in e["params"]
    ]
    return log.with_suffix(".png").stat().st_size, {urlsplit(a).netloc for a in addresses} - {""}


@pytest.fixture(scope="module")
def own_hosts(tmp_path_factory):
    """Hosts that the browser looks for on its own account, whatever page it shows."""
    folder = tmp_path_factory.mktemp("blank")
    page = folder / "blank.html"
    page.write_text("<!doctype html><title>blank</title>", encoding="utf-8")
    return visit(page, folder / "net.json")[1]


def test_the_test_would_see_a_request_and_a_script(own_hosts, tmp_path):
    page = tmp_path / "page.html"
    script = "<script>document.write('<img src=https://script.invalid/x.png>')</script>"
    page.write_text(f'<!doctype html><img src="https://example.invalid/x.png">{script}', encoding="utf-8")
    hosts = visit(page, tmp_path / "net.json")[1] - own_hosts
    assert "example.invalid" in hosts
    assert "script.invalid" not in hosts, "scripts are on"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_neither_network_nor_script(reports, own_hosts, tmp_path, page):
    file = reports / page
    assert file.stat().st_size < 1_500_000
    size, hosts = visit(file, tmp_path / "net.json")
    assert hosts - own_hosts == set()
    assert size > 60_000, "the picture is (nearly) blank"
    text = file.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    if page.endswith(("report.html", "roi.html")):
        assert text.count("<svg") >= 3
        assert text.count("<svg") == text.count("<svg ")
        assert text.count("aria-label") >= 3


def test_every_link_of_every_page_leads_somewhere(reports):
    assert dead_links(reports) == []


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_accessible_and_asks_for_nothing_with_its_script(reports, browser, page):
    """axe-core finds nothing, light at 1280 and dark at 390; benchmarks/pages.py looks at every combination."""
    for width, dark in ((1280, False), (390, True)):
        with opened(browser, reports / page, width=width, dark=dark) as shown:
            assert accessibility(shown) == []
            assert shown.evaluate("document.documentElement.scrollWidth") == width
            assert shown.heard == []
            if width == 1280:
                missing = shown.evaluate(
                    "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))"
                    ".filter(id => !document.getElementById(id))"
                )
                assert missing == []
