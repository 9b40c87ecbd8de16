"""Who may sign what, what signatures amount to, and where they are shown."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from fixtures_record import make_decision, make_record
from made_runs import issued
from nbformat.v4 import new_code_cell, new_notebook, new_output
from pilots import cases, write_pilot
from rich.console import Console

from roi.cli import main
from roi.ledger import issue, read_ledger, record_sha256, signatures
from roi.people import distinct, is_same, name_words, names_a_person
from roi.problems import InputError
from roi.replay import verify
from roi.report import proof
from roi.report.index import Entry, csv_text, index_page
from roi.report.page import render
from roi.report.sections import first_screen
from roi.report.terminal import print_record
from roi.signing import Signature, entry_of, of_before, remarks, standing

TODAY = dt.date(2026, 12, 1)
LATER = dt.date(2027, 3, 31)


def record(verdict: str = "fix", **more: Any) -> dict[str, Any]:
    return make_record(pilot="p", verdict=verdict, signed=[]) | {"prepared_by": "Ada Müller, R. Chen"} | more


def entries(*records: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"kind": "record", "n": i, "pilot": "p", "record": record_sha256(r), "as_of": r["as_of"]}
        for i, r in enumerate(records, start=1)
    ]


def said(name: str, decision: str = "accept", **more: Any) -> dict[str, Any]:
    plain = {"as": name, "role": "Head", "decision": decision, "at": "2026-12-01T10:00:00Z"}
    return plain | {"reason": None, "expires": None, "instead": None} | more


def override(name: str = "B. Owner", instead: str = "kill", **more: Any) -> Signature:
    plain: dict[str, Any] = {"reason": "the budget is cut", "expires": LATER}
    return Signature(name=name, role="CFO", decision="override", instead=instead, **(plain | more))


def accept(name: str = "B. Owner") -> Signature:
    return Signature(name=name, role="Budget owner", decision="accept")


def refused(s: Signature, r: dict[str, Any], known: list[dict[str, Any]]) -> str:
    with pytest.raises(InputError) as error:
        entry_of(s, r, known, today=TODAY)
    return str(error.value)


def with_signature(r: dict[str, Any], *signed: dict[str, Any]) -> list[dict[str, Any]]:
    return [*entries(r), *({"kind": "sign", "record": record_sha256(r), **s} for s in signed)]


def test_one_signature_is_enough_to_fix_or_to_stop():
    for verdict in ("fix", "kill"):
        r = record(verdict)
        entry = entry_of(accept("  B.\u00a0 Owner\x1b "), r, entries(r), today=TODAY)
        assert (entry["as"], entry["record"], entry["verdict"]) == ("B. Owner", record_sha256(r), verdict)
        found = standing(r | {"signed": [said("B. Owner")]})
        assert found.state == "accepted"
        assert found.text.replace("\u00a0", " ") == "Signed by B. Owner (Head) on 1 December 2026."


def test_to_scale_takes_two_who_did_not_prepare_it():
    r = record("scale")
    one = standing(r | {"signed": [said("B. Owner")]})
    assert one.is_draft
    assert "takes one more person" in one.text
    assert not standing(r | {"signed": [said("B. Owner"), said("C. Finance")]}).is_draft
    for name in ("Ada Müller", "ada  MULLER", "R Chen", "Ada Müller, R. Chen"):
        assert "prepared this case; to scale takes two people who did not" in refused(
            accept(name), r, entries(r)
        )
    entry_of(accept("Ada Müller"), record("fix"), entries(record("fix")), today=TODAY)  # to fix, anybody may


def test_to_scale_it_must_be_known_who_prepared_it():
    r = record("scale", prepared_by=None)
    assert "state about.prepared_by and run it again" in refused(accept(), r, entries(r))


def test_an_override_says_why_until_when_and_what_instead_and_never_changes_the_verdict():
    r = record("fix")
    text = refused(Signature(name="B", role="CFO", decision="override"), r, entries(r))
    assert all(
        part in text
        for part in ("--reason: an override needs a reason", "--expires: an override needs", "--verdict")
    )
    assert "is over; an override holds until a day to come" in refused(
        override(expires=dt.date(2026, 11, 30)), r, entries(r)
    )
    assert "the verdict is fix already" in refused(override(instead="fix"), r, entries(r))
    entry = entry_of(override(), r, entries(r), today=TODAY)
    assert (entry["verdict"], entry["instead"], entry["expires"]) == ("fix", "kill", "2027-03-31")
    signed = r | {
        "signed": [
            said("B. Owner", "override", instead="kill", reason="the budget is cut", expires="2027-03-31")
        ]
    }
    found = standing(signed)
    assert (found.state, signed["verdict"]) == ("overridden", "fix")
    text = found.text.replace("\u00a0", " ")
    assert "stop, until 31 March 2027. Reason: the budget is cut. The verdict stays Fix." in text


def test_an_override_to_scale_takes_two_as_well():
    r = record("fix")
    assert "prepared this case" in refused(override("R. Chen", "scale"), r, entries(r))
    signed = [
        said(n, "override", instead="scale", reason="x", expires="2027-03-31")
        for n in ("B. Owner", "C. Finance")
    ]
    assert standing(r | {"signed": signed[:1]}).is_draft
    assert standing(r | {"signed": signed}).state == "overridden"


def test_what_belongs_to_an_override_is_refused_elsewhere():
    r = record()
    s = Signature(name="B", role="CFO", decision="accept", expires=LATER, instead="kill")
    assert refused(s, r, entries(r)).count("belongs to an override alone") == 2


def test_a_person_signs_a_record_once():
    r = record()
    known = with_signature(r, said("B. Owner"))
    assert "accepted this record on 2026-12-01; a record is signed once" in refused(
        accept("b owner"), r, known
    )
    entry_of(accept("C. Finance"), r, known, today=TODAY)


def test_who_deferred_may_decide_later_but_not_defer_again():
    r = record()
    known = with_signature(r, said("B. Owner", "defer", reason="after the audit"))
    assert standing(r | {"signed": signatures(known, record_sha256(r))}).state == "deferred"
    entry_of(accept(), r, known, today=TODAY)
    again = Signature(name="B. Owner", role="Head", decision="defer")
    assert "accept or override it now" in refused(again, r, known)


def test_an_override_that_is_over_asks_for_a_new_record():
    r = record()
    old = said(
        "B. Owner", "override", instead="kill", reason="x", expires="2026-11-30", at="2026-06-01T10:00:00Z"
    )
    text = refused(override(), r, with_signature(r, old))
    assert "overrode this record on 2026-06-01, until 2026-11-30, which is over" in text
    assert "run the pilot on newer cases and sign that record" in text


def test_a_record_is_accepted_or_overridden_and_not_both():
    r = record()
    assert "decided otherwise (accept)" in refused(
        override("C. Finance"), r, with_signature(r, said("B. Owner"))
    )


def test_only_the_last_record_of_the_ledger_may_be_signed():
    old, new = record(), record("kill")
    assert "is not the last one of p" in refused(accept(), old, entries(old, new))
    assert "was never issued, or was changed since" in refused(accept(), record("scale"), entries(old, new))


def test_everything_that_is_wrong_is_said_at_once():
    r = record("scale")
    s = Signature(name=" ", role="x" * 99, decision="override", reason="", expires=None)
    assert len(refused(s, r, []).splitlines()) >= 6


def shown(r: dict[str, Any]) -> list[str]:
    """The first screen, the page and the table of all pilots, and the terminal."""
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_record(r, console)
    entry = [Entry(pilot="p", record=r)]
    return [first_screen(make_decision(r)).html, index_page(entry), csv_text(entry), console.export_text()]


def test_unsigned_reports_say_draft_on_the_first_screen():
    html, index, table, terminal = shown(record())
    assert 'class="standing draft"' in html
    assert "DRAFT: nobody has signed this." in html
    assert ">DRAFT<" in index
    assert ",draft," in table
    assert "DRAFT: nobody has signed this." in terminal


def test_signed_reports_say_who_as_what_when_and_how():
    r = record() | {"signed": [said("<b>B</b> Owner")]}
    html, index, table, terminal = (text.replace("\u00a0", " ") for text in shown(r))
    assert "Signed by &lt;b&gt;B&lt;/b&gt; Owner (Head) on 1 December 2026." in html
    assert "&lt;b&gt;B&lt;/b&gt; Owner, Head, accept, 1 December 2026" in html
    assert ">accepted<" in index
    assert ",accepted," in table
    assert "Signed by <b>B</b> Owner (Head) on 1 December 2026." in terminal
    assert not any("DRAFT" in text for text in (html, index, terminal))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    changes = {"run": {"draws": 1000}, "about": {"prepared_by": "A. Analyst"}}
    issued(write_pilot(folder, cases(200, workers=8), changes), folder / "reports")
    return folder


@pytest.fixture
def run(made, tmp_path, monkeypatch) -> Path:
    """A report folder of its own."""
    shutil.copytree(made, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    return tmp_path / "p/reports/made"


def sign(folder: Path, name: str, *more: str) -> Any:
    plain = ["sign", str(folder), "--as", name, "--role", "Head", "--decision"]
    return CliRunner().invoke(main, [*plain, *(more or ("accept",))])


@pytest.mark.slow
def test_a_signature_goes_to_the_ledger_and_the_record_which_still_holds(run):
    before = json.loads((run / "decision.json").read_text(encoding="utf-8"))
    done = sign(run, "B. Owner")
    assert done.exit_code == 0, done.output
    after = json.loads((run / "decision.json").read_text(encoding="utf-8"))
    assert {**after, "signed": []} == before
    assert record_sha256(after) == record_sha256(before)
    assert [e["kind"] for e in read_ledger(run.parent / "ledger.jsonl")] == ["record", "sign"]
    assert [(s["as"], s["role"], s["decision"]) for s in after["signed"]] == [("B. Owner", "Head", "accept")]
    found = verify(run)
    assert found.holds
    assert [c.says for c in found.checks if c.what == "signatures"] == ["1 signature"]


@pytest.mark.slow
def test_a_signature_that_is_only_in_the_record_is_found(run):
    sign(run, "B. Owner")
    text = (run / "decision.json").read_text(encoding="utf-8")
    (run / "decision.json").write_text(text.replace("B. Owner", "C. Owner"), encoding="utf-8")
    found = verify(run)
    assert [c.what for c in found.checks if c.is_bad] == ["signatures"]


def test_a_refused_signature_writes_nothing(run):
    sign(run, "B. Owner")
    before = {p: p.read_bytes() for p in run.parent.rglob("*") if p.is_file()}
    assert sign(run, "B. Owner").exit_code == 2
    assert sign(run, "C. Finance", "override").exit_code == 2
    assert {p: p.read_bytes() for p in run.parent.rglob("*") if p.is_file()} == before


def test_a_broken_ledger_is_not_written_to(run):
    ledger = run.parent / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"look": 1', b'"look": 2'))
    before = {p: p.read_bytes() for p in run.parent.rglob("*") if p.is_file()}
    done = sign(run, "B. Owner")
    assert done.exit_code == 2
    assert "line 1: was changed" in done.output
    assert {p: p.read_bytes() for p in run.parent.rglob("*") if p.is_file()} == before


@pytest.mark.slow
def test_the_same_run_again_keeps_its_signatures_and_leaves_no_archive(run):
    sign(run, "B. Owner")
    ledger = run.parent / "ledger.jsonl"
    before = ledger.read_bytes()
    unsigned = json.loads((run / "decision.json").read_text(encoding="utf-8")) | {"signed": []}
    issue(ledger, unsigned)
    assert ledger.read_bytes() == before
    again = issued(run.parent.parent / "params/made.yaml", run.parent)
    assert not (again / "archive").exists()


def test_a_record_without_a_ledger_cannot_be_signed(tmp_path):
    file = tmp_path / "decision.json"
    file.write_text(json.dumps(make_record()), encoding="utf-8")
    done = sign(file, "B. Owner")
    assert done.exit_code == 2
    assert "sign what it writes" in done.output


def test_a_name_is_known_again_however_it_is_written():
    same = [
        "Anna Lee",
        "anna LEE",
        "Lee, Anna",
        "Anna Lee (CFO)",
        "Dr. Anna M. Lee",
        "A. Lee",
        "Anna Lee [x (y) z",
    ]
    for name in same:
        assert is_same(name_words(name), name_words("Anna Lee")), name
    for name in ("Anna Bell", "B. Lee", "Anna Quentin Lee", "Lee", "Ann Lee"):
        assert not is_same(name_words(name), name_words("Anna Lee")), name
    assert distinct(["Ann Bell", "Bell, Ann", "Bo Ray"]) == ["Ann Bell", "Bo Ray"]


@pytest.mark.parametrize(
    "preparer",
    ["Anna Lee (Analytics)", "Anna Lee（Analytics）", "Analytics (Anna Lee)", "Lee, Anna", "Bo Ray; Lee, Anna", "Bo Ray with Anna Lee",
     "Analytics – Anna Lee", "Anna Lee, Analytics", "A. Lee"],
)  # fmt: skip
def test_whoever_is_named_as_preparer_does_not_sign_to_scale(preparer):
    r = record("fix", prepared_by=preparer)
    for name in ("Anna Lee", "Lee, Anna", "Anna Lee (Finance)"):
        assert "prepared this case" in refused(override(name, "scale"), r, entries(r)), name
    entry_of(override("Cy Fox", "scale"), r, entries(r), today=TODAY)


def test_one_person_under_two_spellings_is_not_two():
    r = record("scale")
    known = with_signature(r, said("Ann Bell"))
    assert "Bell, Ann (there: Ann Bell) accepted this record" in refused(accept("Bell, Ann"), r, known)
    twice = standing(r | {"signed": [said("Ann Bell"), said("Bell, Ann (Finance)")]})  # of an older ledger
    assert twice.is_draft
    assert "takes one more person" in twice.text


def test_a_team_as_preparer_is_said_at_signing_and_on_the_page():
    team, person = record("scale", prepared_by="Process Analytics"), record("scale")
    entry_of(accept(), team, entries(team), today=TODAY)
    assert "rests on their word" in remarks(accept(), team, [])[0]
    assert "you say that you are not among them" in remarks(accept(), person, [])[0]
    assert remarks(accept(), record("fix"), []) == []
    both = [said("B. Owner"), said("C. Finance")]
    assert "Prepared by Process Analytics, which names no person" in shown(team | {"signed": both})[0]
    assert "names no person" not in standing(person | {"signed": both}).text
    for name in ("Digital Office", "Claims Analytics", "Analytics", "the data team"):
        assert not names_a_person(name), name
    for name in ("Ada Müller, R. Chen", "Analytics (Anna Lee)", "Anna Lee, Analytics"):
        assert names_a_person(name), name


def by(name: str, expires: str, reason: str, instead: str = "scale") -> dict[str, Any]:
    return said(name, "override", instead=instead, reason=reason, expires=expires)


def test_two_who_override_hold_until_the_earlier_day_for_both_reasons():
    r = record("fix")
    signed = [by("Anna Ng", "2027-01-31", "we want it"), by("Bob Ray", "2030-12-31", "other")]
    for order in (signed, signed[::-1]):
        text = standing(r | {"signed": order}).text.replace("\u00a0", " ")
        assert "scale everything, until 31 January 2027, the earlier of their days." in text
        assert "we want it (Anna Ng)" in text
        assert "other (Bob Ray)" in text
        assert "2030" not in text
    joins = remarks(override("Bob Ray", "scale"), r, signed[:1])[-1].replace("\u00a0", " ")
    assert (
        "joins the override of Anna Ng (Head) on 1 December 2026 until 31 January 2027 (we want it)" in joins
    )


def test_those_who_override_agree_on_what():
    r = record("fix")
    known = with_signature(r, by("Anna Ng", "2027-01-31", "we want it"))
    assert "Anna Ng overrides it to scale; those who override agree" in refused(override("Bob Ray"), r, known)
    old = standing(
        r | {"signed": [by("Anna Ng", "2027-01-31", "x", "kill"), by("Bob Ray", "2027-01-31", "y")]}
    )
    assert old.is_draft
    assert "Anna Ng (Head) on 1 December 2026 would stop and Bob Ray" in old.text.replace("\u00a0", " ")


def test_an_override_lapses():
    r = record("fix") | {"signed": [by("Anna Ng", "2027-01-31", "x", "kill")]}
    assert standing(r).state == "overridden"
    assert standing(r, dt.date(2027, 1, 31)).state == "overridden"
    found = standing(r, dt.date(2027, 2, 1))
    assert (found.state, found.is_draft) == ("lapsed", True)
    assert "lapsed after 31 January 2027" in found.text.replace("\u00a0", " ")
    assert standing(r | {"as_of": "2027-06-30"}).state == "lapsed"  # a page goes by what the record knows
    assert "had lapsed by then" in of_before(r, "2027-06-30")
    assert "is to be signed anew" in of_before(r, "2026-12-24")
    assert of_before(record(), "2027-06-30") == ""


def test_an_override_that_lapsed_binds_nobody_else():
    r = record("fix")
    known = with_signature(r, by("Anna Ng", "2026-11-30", "x", "kill") | {"at": "2026-06-01T10:00:00Z"})
    entry_of(accept("Bob Ray"), r, known, today=TODAY)
    entry_of(override("Bob Ray", "scale"), r, known, today=TODAY)
    both = [*signatures(known, record_sha256(r)), said("Bob Ray")]
    assert standing(r | {"signed": both}).text.startswith("Signed by Bob Ray")


@pytest.mark.slow
def test_verify_and_sign_say_that_an_override_lapsed(run):
    verdict = json.loads((run / "decision.json").read_text(encoding="utf-8"))["verdict"]
    instead = "fix" if verdict == "kill" else "kill"
    done = sign(run, "B. Owner", "override", "--verdict", instead, "--reason", "x", "--expires", "2999-01-01")
    assert done.exit_code == 0, done.output
    assert not any(c.state == "lapsed" for c in verify(run).checks)
    found = verify(run, today=dt.date(2999, 1, 2))
    assert found.holds
    assert any("lapsed after" in c.says for c in found.checks if c.state == "lapsed")


def executed(path: Path, section: Any) -> None:
    data = section._repr_mimebundle_()
    output = new_output("display_data", data=data)
    nbformat.write(new_notebook(cells=[new_code_cell("show", outputs=[output])]), path)


def test_every_page_whose_notebook_is_there_is_drawn_again(run):
    """Both say DRAFT until somebody signs, and who signed afterwards; nothing else of the proof changes."""
    r = json.loads((run / "decision.json").read_text(encoding="utf-8"))
    executed(run / "2_decide.ipynb", first_screen(make_decision(r)))
    executed(run / "5_prove_roi.ipynb", proof.opening(make_decision(r)))
    pages = {"2_decide": "report.html", "5_prove_roi": "5_prove_roi.html"}
    for notebook, page in pages.items():
        render(run / f"{notebook}.ipynb", run / page, about=r, beside=list(pages.values()))
    before = (run / "5_prove_roi.html").read_text(encoding="utf-8")
    assert "DRAFT: nobody has signed this." in before
    done = sign(run, "<b>B</b> Owner")
    assert done.exit_code == 0, done.output
    assert "not drawn again" not in done.output
    for page in pages.values():
        html = (run / page).read_text(encoding="utf-8")
        assert "DRAFT" not in html
        assert "Signed by &lt;b&gt;B&lt;/b&gt; Owner (Head)" in html
    after = (run / "5_prove_roi.html").read_text(encoding="utf-8")
    shown = [re.sub(r"<!-- standing -->.*?<!-- end", "", text) for text in (before, after)]
    assert shown[0] == shown[1]
    (run / "5_prove_roi.ipynb").unlink()
    assert "5_prove_roi.html is not drawn again" in sign(run, "C. Finance").output
