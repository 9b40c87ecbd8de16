"""Pseudonyms and what may be shown; what comes out of whole runs is in test_privacy_planted."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sample_projects import Project, column

from roi.privacy import DOMAINS, identifier_like, looks_personal, make_keys


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_pseudonym_is_the_head_of_a_keyed_hash(project: Project) -> None:
    """Against Python's own SHA-256."""
    samples = project.cases("case_id,arm,worker\nT-1,pilot,Anna\n")
    keys = make_keys("p", key_env=None).by_domain
    assert column(samples, "case_id") == [
        "c-" + hashlib.sha256(f"{keys['case']}T-1".encode()).hexdigest()[:12]
    ]
    assert column(samples, "worker") == [
        "w-" + hashlib.sha256(f"{keys['worker']}anna".encode()).hexdigest()[:12]
    ]


@pytest.mark.parametrize("other", ["ANN LÉE", "ann  lée", "Ann\u00a0Lée", "Ann Le\u0301e"])
def test_a_person_is_the_same_however_the_name_is_written(project: Project, other: str) -> None:
    """Who asked as "Ann Lée" and approves as "ANN LÉE" is one; cases and actions keep to the letter."""
    log = f"action_id,case_id,tool,requester,approver\na1,T-1,crm,Ann Lée,{other}\nA1,T-1,crm,Ann Lee,Bo\n"
    project.write("actions.csv", log)
    samples = project.cases("case_id,arm\nT-1,pilot\n", samples={"actions": "data/actions.csv"})
    asked, approved = (column(samples, who, "actions") for who in ("requester", "approver"))
    assert (asked[0] == approved[0], asked[1] == approved[1]) == (True, False)
    assert len(set(column(samples, "action_id", "actions"))) == 2


@pytest.mark.parametrize(("one", "other"), [("Ann Groß", "ANN GROSS"), ("Σάρα Κίς", "ΣΆΡΑ ΚΊΣ")])
def test_names_that_are_equal_with_case_folded_are_one(project: Project, one: str, other: str) -> None:
    """As Python folds it: the engine's small letters leave both pairs apart."""
    assert one.casefold() == other.casefold()
    project.write("actions.csv", f"action_id,case_id,tool,requester,approver\na1,T-1,crm,{one},{other}\n")
    samples = project.cases("case_id,arm\nT-1,pilot\n", samples={"actions": "data/actions.csv"})
    assert column(samples, "requester", "actions") == column(samples, "approver", "actions")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Jörg Müller", "Joerg Mueller", True),
        ("Jörg Müller", " JORG  Muller", True),
        ("Søren Å", "Soeren Aa", True),
        ("José Ruiz", "Jose Ruiz", True),
        ("Jörg Müller", "jo\u0308rg mu\u0308ller ", False),  # the same name, and so no hint
        ("Joerg Mueller", "Jorg Muller", False),
        ("Jörg Müller", "Jörg Möller", False),
        ("Jörg Müller", "", False),
    ],
)
def test_names_spelled_alike_are_hinted_at_and_not_joined(
    project: Project, one: str, other: str, alike: bool
) -> None:
    project.write("actions.csv", f"action_id,case_id,tool,requester,approver\na1,T-1,crm,{one},{other}\n")
    samples = project.cases("case_id,arm\nT-1,pilot\n", samples={"actions": "data/actions.csv"})
    assert column(samples, "alike_", "actions") == [alike]
    if alike:
        assert column(samples, "requester", "actions") != column(samples, "approver", "actions")


def test_one_person_has_one_pseudonym_in_every_table_and_role(project: Project) -> None:
    project.write("actions.csv", "action_id,case_id,tool,requester,approver\n1,T-1,crm,Anna,Anna\n")
    project.write("access.csv", "system,scope,identity,granted_by\ncrm,read,Anna,Bo\n")
    others = {"actions": "data/actions.csv", "access": "data/access.csv"}
    samples = project.cases("case_id,arm,worker\nT-1,pilot,Anna\n", samples=others)
    anna = column(samples, "worker")
    assert column(samples, "requester", "actions") == anna
    assert column(samples, "approver", "actions") == anna
    assert column(samples, "identity", "access") == anna
    assert column(samples, "granted_by", "access") != anna
    assert column(samples, "case_id", "actions") == column(samples, "case_id")


def test_keys_differ_by_domain_pilot_and_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    own = make_keys("p", key_env=None)
    assert len(set(own.by_domain.values())) == len(DOMAINS)
    assert not own.stated
    assert make_keys("q", key_env=None).by_domain != own.by_domain
    monkeypatch.setenv("ROI_KEY", "secret")
    stated = make_keys("p", key_env="ROI_KEY")
    assert stated.stated
    assert stated.by_domain == make_keys("q", key_env="ROI_KEY").by_domain != own.by_domain
    assert "secret" not in repr(stated)
    assert not any(key in repr(stated) for key in stated.by_domain.values())


def test_a_stated_key_that_is_not_there_is_said_once(project: Project) -> None:
    (project.folder / "params" / "_policy.yaml").write_text("privacy: {key_env: NO_SUCH_KEY_HERE}\n")
    samples = project.cases("case_id,arm\n1,pilot\n")
    said = [w for w in samples.warnings if "NO_SUCH_KEY_HERE" in w]
    assert len(said) == 1


@pytest.mark.parametrize(
    "text",
    [
        "anna@example.org",
        "mail to anna@example.org",
        "+49 151 2345 6789",
        "0171/2345678",
        "DE89 3704 0044 0532 0130 00",
        "1234567",
    ],
)
def test_what_looks_personal(text: str) -> None:
    assert looks_personal(text)
    assert looks_personal(text, dates_allowed=True)


@pytest.mark.parametrize("text", ["email", "gpt-4.1", "Motor claims 2026", "v1.2.3", "tier 100-200"])
def test_what_does_not(text: str) -> None:
    assert looks_personal(text) is None


@pytest.mark.parametrize("text", ["claude-3-5-sonnet-20241022", "gpt-4.1-2025-04-14"])
def test_dates_in_the_names_of_models_are_no_numbers(text: str) -> None:
    assert looks_personal(text, dates_allowed=True) is None
    assert looks_personal(text) == "a telephone or account number"


@pytest.mark.parametrize(
    ("text", "yes"),
    [("crm.write", True), ("v2", True), ("GPT-4", True), ("Anna Schmidt", False), ("Anna", False)],
)
def test_names_of_machines(text: str, yes: bool) -> None:
    assert identifier_like(text) is yes


@pytest.mark.parametrize("table", ["cases", "actions"])
@pytest.mark.parametrize("planted", ["anna@example.org", "+49 151 2345 6789", "x" * 61])
def test_categories_that_look_personal_are_refused_without_being_repeated(
    project: Project, table: str, planted: str
) -> None:
    project.write("actions.csv", f"action_id,case_id,tool\n1,1,{planted if table == 'actions' else 'crm'}\n")
    segment = planted if table == "cases" else "email"
    message = project.refusal(
        f"case_id,arm,segment\n1,pilot,{segment}\n", samples={"actions": "data/actions.csv"}
    )
    assert "1 different values look like" in message
    assert "(first: row 1)" in message
    assert planted not in message


def test_a_category_of_many_kinds_is_refused(project: Project) -> None:
    rows = "".join(f"{i},pilot,kind-{i}\n" for i in range(60))
    message = project.refusal("case_id,arm,segment\n" + rows)
    assert "more than 50 different values; a segment is one of a few kinds" in message
    assert "kind-" not in message


def test_columns_that_are_not_ours_are_never_read(project: Project) -> None:
    samples = project.cases("case_id,arm,free_text\n1,pilot,Anna Schmidt\n")
    assert samples.tables["cases"].columns == ("case_id", "arm", "row")
