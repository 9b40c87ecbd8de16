"""Exploring: moves, sketches that agree with decisions, files that say the same, and words that stay words."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from made_worlds import BROKEN, decided, loaded_of, parameters
from opened_examples import EXAMPLES, PARAMS, example

from roi.again import decide_again
from roi.explore import Explorer, Setting, dials_of, saved_text, write_saved
from roi.explore.allowed import Refusal, raw_at, refusals
from roi.explore.explorer import Choice, Seen
from roi.explore.html import gates_html, note_html, refused_html, table_html, verdict_html
from roi.explore.panel import Panel
from roi.explore.picture import picture_of
from roi.explore.setting import applied, middle, moved
from roi.parameters import Parameters, load_parameters, register
from roi.pictures import Histogram
from roi.problems import ParameterError
from roi.uncertain import exact, interval, pert

LABOUR = "economics.labour_cost_per_hour"


@pytest.fixture(scope="module")
def fixed():
    return Explorer(decided(minutes=(15.0, 8.0), controls=BROKEN))


def dial(explorer, key):
    return next(d for d in explorer.dials if d.key == key)


def test_moving_keeps_the_relative_width():
    assert moved(interval(38, 46, "positive"), 2 * interval(38, 46, "positive").mean).numbers == (76, 92)
    assert moved(exact(5), 7).numbers == (7,)
    assert moved(pert(0, 0.2, 0.4, "share"), 0.1).numbers == pytest.approx((0, 0.1, 0.2))
    assert moved(pert(0, 0.5, 0.8, "share"), 0.9).numbers[-1] == 1.0
    share = interval(0.6, 0.9, "share")
    low, high = moved(share, 0.5).numbers
    assert middle(moved(share, 0.5)) == pytest.approx(0.5, abs=1e-5)
    # On the logit scale it is as wide as before: log(9) − log(1.5).
    assert np.log(high / (1 - high)) - np.log(low / (1 - low)) == pytest.approx(np.log(6), abs=1e-4)
    assert moved(interval(-5, 5, "real"), 2).numbers == (-3, 7)


def test_a_share_near_one_keeps_its_middle_where_it_is_put_and_is_narrower_then():
    """By hand: 0 to 0.8 about 0.4667, to 0.9: there is room for 0.1 above, of the 0.3333 that there were, so 0.3 of the width."""
    low, mode, high = moved(pert(0, 0.5, 0.8, "share"), 0.9).numbers
    assert (low + 4 * mode + high) / 6 == pytest.approx(0.9, abs=1e-6)
    assert (low, mode, high) == pytest.approx((0.76, 0.91, 1.0), abs=1e-6)
    assert moved(pert(0, 0.5, 0.8, "share"), 1.0) == exact(1.0, "share")
    assert moved(interval(0.6, 0.9, "share"), 0.0) == exact(0.0, "share")


def test_a_slider_stands_at_round_numbers_and_at_the_number_of_the_file(fixed):
    for one in fixed.dials:
        assert one.low <= one.value <= one.high
        for end in (one.low, one.high):
            assert end / one.step == pytest.approx(round(end / one.step), abs=1e-6)
        places = [one.low + k * one.step for k in range(round((one.high - one.low) / one.step) + 1)]
        homes = [one.at(place) for place in places if one.is_home(one.at(place))]
        assert homes == [one.written]


@pytest.mark.parametrize(
    ("stated", "key"),
    [
        (0.137, "economics.realisation.cash"),
        (0.12345678901234, "economics.realisation.cash"),
        (1234567.89, LABOUR),
        (41.995, LABOUR),
        (7.77, "economics.adoption.ramp_months"),
        ({"low": 0.111, "high": 0.777}, "economics.adoption.ceiling"),
    ],
)
def test_moved_and_moved_back_by_a_step_it_is_as_the_file_states_it(stated, key):
    given = parameters()
    given["economics"]["realisation"] = {"cash": 0.1, "redeployed": 0.2}
    *above, last = key.split(".")
    group = given
    for part in above:
        group = group[part]
    group[last] = stated
    loaded = loaded_of(given)
    entries = {entry.key: entry for entry in register(loaded.parameters)}
    a = SimpleNamespace(loaded=loaded, assumptions=SimpleNamespace(entries=entries))
    one = next(d for d in dials_of(a) if d.key == key)
    if not isinstance(stated, dict):
        assert one.written == one.value == stated
    home = round(one.value / one.step) * one.step
    for away in (home - one.step, home + one.step):
        there = Setting().with_dial(one, one.at(away))
        assert there.values[key] == pytest.approx(away, rel=1e-9)
        assert there.with_dial(one, one.at(home)) == Setting()
    assert Setting().with_dial(one, one.written) == Setting()
    assert Setting().with_dial(one, one.value) == Setting()


@pytest.mark.parametrize(
    "key", [LABOUR, "demand.cases_per_month", "economics.realisation.cash", "economics.adoption.ceiling"]
)
def test_the_sketch_is_what_the_decision_says_of_the_same_plan(fixed, key):
    one = dial(fixed, key)
    setting = Setting().with_dial(one, one.value * 1.1)
    found, sketch = fixed.decide(setting), fixed.sketch(setting)
    assert [c.label for c in sketch.choices] == ["Scale everything as it is", "Fix, then scale"]
    assert sketch.verdict is None
    assert sketch.choices[0].mean == pytest.approx(found.scale.mean(), rel=1e-9)
    assert found.verdict.plan is not None
    assert sketch.choices[1].mean == pytest.approx(found.verdict.plan.mean(), rel=1e-9)


def test_a_setting_decides_as_a_file_of_the_same_numbers_does(fixed):
    one = dial(fixed, LABOUR)
    setting = Setting(values={LABOUR: one.value * 1.3}, without=frozenset({"Hold letters"}))
    given = parameters()
    low, high = moved(fixed.a.assumptions.entries[LABOUR].value, one.value * 1.3).numbers
    given["economics"]["labour_cost_per_hour"] = {"low": low, "high": high, "source": "payroll"}
    given["remedies"] = [r for r in given["remedies"] if r["name"] != "Hold letters"]
    ours, theirs = fixed.decide(setting), decide_again(fixed.a, loaded=loaded_of(given))
    assert ours.verdict.verdict == theirs.verdict.verdict
    assert np.array_equal(ours.scale.worth, theirs.scale.worth)
    assert [p.mean() for p in ours.every_plan] == [p.mean() for p in theirs.every_plan]
    assert set(applied(fixed.a, setting)[1].values) == set(theirs.assumptions.values)


def test_a_threshold_moves_the_verdict():
    explorer = Explorer(decided(minutes=(15.0, 8.7)))
    before = explorer.a.scale.chance(0)
    verdicts = {
        explorer.decide(Setting(thresholds={"scale_probability": needed})).verdict.verdict
        for needed in (before - 0.02, min(before + 0.02, 0.9999))
    }
    assert len(verdicts) == 2


CASH, REDEPLOYED = "economics.realisation.cash", "economics.realisation.redeployed"
NOT_ALLOWED = [
    (Setting(values={CASH: 0.9, REDEPLOYED: 0.4}), (CASH, REDEPLOYED), "cannot exceed 1"),
    (Setting(values={CASH: 0.9}), (CASH,), "cannot exceed 1"),
    (Setting(values={CASH: 1.2}), (CASH,), "is not a share"),
    (Setting(values={"economics.adoption.ceiling": -0.1}), ("economics.adoption.ceiling",), "is not a share"),
    (Setting(values={LABOUR: -3.0}), (LABOUR,), "is below 0"),
    (Setting(values={LABOUR: float("nan")}), (LABOUR,), "not a finite number"),
    (Setting(values={"demand.cases_per_month": float("inf")}), ("demand.cases_per_month",), "not a finite number"),
    (Setting(thresholds={"scale_probability": 0.6}), ("scale_probability",), "looser than the policy's 0.8"),
    (Setting(thresholds={"kill_probability": 0.9}), ("kill_probability",), "is not below scale_probability"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "keys", "said"), NOT_ALLOWED, ids=range(len(NOT_ALLOWED)))
def test_what_is_not_allowed_has_no_verdict_and_says_what_it_concerns_and_the_mend(
    fixed, setting, keys, said
):
    found = fixed.refusals(setting)
    assert any(x.keys == keys and said in x.said for x in found), found
    for act in (fixed.decide, fixed.sketch):
        with pytest.raises(ParameterError, match=said):
            act(setting)
    assert fixed.refusals(Setting()) == ()


@pytest.mark.parametrize("name", ["claims_intake", "payment_repair"])
@pytest.mark.parametrize(
    "values", [(0.5, 0.49), (0.5, 0.53), (0.62, 0.62), (0.0, 0.99), (1.0, 0.3), (0.3, 0.7)]
)
def test_what_is_refused_is_what_a_file_that_says_so_is_refused_for(tmp_path, name, values):
    a = stated(copied(tmp_path, name))
    setting = Setting(values=dict(zip((CASH, REDEPLOYED), values, strict=True)))
    ours = refusals(a, setting, [d.key for d in dials_of(a)])
    target = tmp_path / "params" / "beside.yaml"
    target.write_text(saved_text(a, setting, "beside"), encoding="utf-8")
    try:
        load_parameters(target)
        theirs = []
    except ParameterError as error:
        theirs = [re.sub(r" \(line \d+\)$", "", problem.message) for problem in error.problems]
    assert [x.said for x in ours] == theirs
    assert bool(theirs) == (sum(stated_likely(a, setting)) > 1)
    target.unlink()
    if theirs:
        with pytest.raises(ParameterError, match="cannot exceed 1"):
            write_saved(a, setting, "beside")
        assert not target.exists()


def stated_likely(a, setting):
    """The likeliest of each moved share."""
    found = [moved(a.assumptions.entries[key].value, to) for key, to in setting.values.items()]
    return [x.numbers[1] if x.form == "pert" else x.p50 for x in found]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_values_that_are_checked_are_those_that_are_saved(tmp_path, name):
    a = stated(copied(tmp_path, name))
    setting = Setting(thresholds={"scale_probability": 0.91})
    for one in (d for d in dials_of(a) if not d.threshold):
        setting = setting.with_dial(one, one.at(one.value + one.step))
    setting = replace(setting, without=frozenset(r.name for r in (a.loaded.parameters.remedies or ())[:1]))
    saved = load_parameters(write_saved(a, setting, "tried")).parameters
    tried = Parameters.model_validate(raw_at(a, setting) | {"pilot": "tried"})
    assert tried == saved


@pytest.mark.parametrize("single", [60, {"low": 20, "high": 90}])
def test_single_values_for_several_things_are_checked_as_they_are_saved(tmp_path, single):
    path = copied(tmp_path)
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    given["economics"] |= {"error_cost": single, "realisation": {"min": 0.1, "mode": 0.4, "max": 0.6}}
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    a = stated(path)
    for key, to in (("economics.error_cost.major", 90.0), ("economics.realisation.total", 0.5)):
        setting = Setting(values={key: to})
        saved = load_parameters(write_saved(a, setting, "tried")).parameters
        assert Parameters.model_validate(raw_at(a, setting) | {"pilot": "tried"}) == saved
    (one,) = refusals(a, Setting(values={"economics.realisation.total": 1.5}), [d.key for d in dials_of(a)])
    assert one.keys == ("economics.realisation.total",)
    assert "is not a share" in one.said


def test_a_scenario_on_top_of_what_was_moved_is_checked_too(tmp_path):
    path = copied(tmp_path)
    text = path.read_text(encoding="utf-8")
    inside = "\n  lean: {economics: {realisation: {redeployed: 0.65}}}"
    path.write_text(re.sub(r"^scenarios:", "scenarios:" + inside, text, flags=re.MULTILINE), encoding="utf-8")
    a = stated(path)
    (one,) = refusals(a, Setting(values={CASH: 0.4}), [CASH, REDEPLOYED])
    assert one.keys == (CASH,)
    assert one.said.startswith("scenario lean: ")


def test_an_exception_counts_up_to_the_day_on_which_it_expires(tmp_path):
    policy = tmp_path / "params" / "_policy.yaml"
    path = copied(tmp_path)
    said = "exception: {key: scale_probability, value: 0.7, reason: trial, approved_by: Board, expires: 2026-03-31}\n"
    policy.write_text(policy.read_text(encoding="utf-8") + said, encoding="utf-8")
    a, setting = stated(path), Setting(thresholds={"scale_probability": 0.75})
    assert a.loaded.parameters.run.as_of is None
    a.as_of = dt.date(2026, 3, 31)
    assert refusals(a, setting, ["scale_probability"]) == ()
    a.as_of = dt.date(2026, 4, 1)
    (one,) = refusals(a, setting, ["scale_probability"])
    assert "looser than the policy" in one.said
    with pytest.raises(ParameterError, match="looser than the policy"):
        write_saved(a, setting, "x")


def test_99_of_100_outcomes_are_drawn_and_none_of_the_others_heaped_up_at_the_ends(fixed):
    for choice in fixed.seen(fixed.a).choices:
        share = choice.histogram.share
        assert share.sum() == pytest.approx(0.99, abs=0.002)
        assert max(share[0], share[-1]) < share.max() / 4


def test_what_is_as_good_as_certain_is_one_bar_that_can_be_seen():
    sure = Histogram(edges=np.linspace(9.9, 10.1, 41), share=np.full(41 - 1, 0.025))
    wide = Histogram(edges=np.linspace(-9000.0, 9000.0, 41), share=np.full(41 - 1, 0.025))
    choices = [
        Choice(label=label, mean=10.0, p10=10.0, p90=10.0, chance=1.0, histogram=histogram)
        for label, histogram in (("sure", sure), ("wide", wide))
    ]
    seen = Seen(verdict="fix", why="", choices=tuple(choices), gates=(), currency="EUR")
    drawn = picture_of(seen, hurdle=0.0).split("</svg>")[0]
    left, right = map(float, re.search(r"d='M([\d.]+) 60V0.0H([\d.]+)V60Z' fill='#00846b'", drawn).groups())
    assert 0.5 < right - left <= 6


def test_a_remedy_that_another_waits_for_cannot_be_left_out(tmp_path):
    path = copied(tmp_path)
    waits = "    weeks: 4\n    after: Check policy numbers at intake\n"
    path.write_text(path.read_text().replace("    weeks: 4\n", waits))
    (one,) = refusals(stated(path), Setting(without=frozenset({"Check policy numbers at intake"})), [CASH])
    assert one.keys == ("remedies",)
    assert "Check policy numbers" in one.said


def copied(tmp_path: Path, name: str = "claims_intake") -> Path:
    (tmp_path / "params").mkdir()
    shutil.copy(PARAMS / "_policy.yaml", tmp_path / "params")
    return Path(shutil.copy(PARAMS / f"{name}.yaml", tmp_path / "params"))


def stated(path: Path) -> SimpleNamespace:
    """As much of a decision as saving needs."""
    loaded = load_parameters(path)
    entries = {entry.key: entry for entry in register(loaded.parameters)}
    return SimpleNamespace(loaded=loaded, as_of=None, assumptions=SimpleNamespace(entries=entries))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_saved_file_is_valid_and_says_what_was_set(tmp_path, name):
    a = stated(copied(tmp_path, name))
    dials = [d for d in dials_of(a) if not d.threshold]
    setting = Setting()
    for i, one in enumerate(dials):
        setting = setting.with_dial(one, one.value * (0.8 if i % 2 else 1.1) or one.step)
    remedies = [r.name for r in a.loaded.parameters.remedies or ()]
    setting = Setting(
        values=setting.values, thresholds={"scale_probability": 0.9}, without=frozenset(remedies[-1:])
    )
    saved = load_parameters(write_saved(a, setting, "explored_one"))
    found = {entry.key: entry for entry in register(saved.parameters)}
    for key, to in setting.values.items():
        old = a.assumptions.entries[key].value
        assert found[key].value.numbers == pytest.approx(moved(old, to).numbers, rel=1e-9)
        assert found[key].value.source == old.source
        assert found[key].value.owner == old.owner
    for key, entry in a.assumptions.entries.items():
        if key not in setting.values and not key.startswith("remedies["):
            assert found[key].value == entry.value, key
    assert saved.policy.scale_probability == 0.9
    assert [r.name for r in saved.parameters.remedies or ()] == remedies[:-1]
    text = saved.path.read_text(encoding="utf-8")
    assert text.count("# explored") >= len(setting.values) + 2
    original = a.loaded.path.read_text(encoding="utf-8")
    for remark in re.findall(r"(?<=# )[^\n]{8,}", original):
        assert remark in text  # what the author wrote beside it stays


def test_what_would_loosen_the_policy_is_not_saved(tmp_path):
    a = stated(copied(tmp_path))
    with pytest.raises(ParameterError, match=r"looser than the policy.s 0\.8"):
        write_saved(a, Setting(thresholds={"scale_probability": 0.6}), "x")
    # Down to the policy's own it may go, though the file asks for more.
    saved = load_parameters(write_saved(a, Setting(thresholds={"scale_probability": 0.8}), "x"))
    assert saved.policy.scale_probability == 0.8


def test_a_number_that_was_typed_is_saved_to_the_last_digit(tmp_path):
    a = stated(copied(tmp_path))
    key, typed = "economics.error_cost.major", 1234567.8901234
    saved = load_parameters(write_saved(a, Setting(values={key: typed}), "x")).parameters
    assert saved.economics.error_cost["major"].numbers == (typed,)


def test_no_file_of_somebody_else_is_replaced_and_no_name_leads_elsewhere(tmp_path):
    a = stated(copied(tmp_path))
    before = a.loaded.path.read_bytes()
    for name in ("claims_intake", "../x", "A b", "_policy", "", "x.yaml"):
        with pytest.raises(ParameterError):
            write_saved(a, Setting(), name)
    assert a.loaded.path.read_bytes() == before
    write_saved(a, Setting(), "again")
    write_saved(a, Setting(values={LABOUR: 50.0}), "again")  # our own may be replaced


def test_a_file_that_would_not_be_valid_is_not_left_lying_about(tmp_path):
    path = copied(tmp_path)
    path.write_text(
        path.read_text().replace(
            "    weeks: 4\n", "    weeks: 4\n    after: Check policy numbers at intake\n"
        )
    )
    a = stated(path)
    with pytest.raises(ParameterError, match="Check policy numbers"):
        write_saved(a, Setting(without=frozenset({"Check policy numbers at intake"})), "broken")
    assert not (tmp_path / "params" / "broken.yaml").exists()


HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</svg><script>1</script>", '" onload="alert(1)', "'><b>",
    "&lt;script&gt;", "\u202egnp.exe", "\u2066x\u2069", "=1+1", "{{7*7}}", "${x}", "]]>", "a\x00b", "\x1b[31m", "x" * 10_000,
    "<svg/onload=alert(1)>", "<iframe src=javascript:alert(1)>", "<a href='javascript:1'>x</a>", "<style>*{}</style>",
    "<!-- x", "--><script>1</script>", "<math><mtext>x", "</table></div><h1>x", "`x`", "$x^2$", "\\(x\\)", "$$\\frac12$$",
    "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"https://x.invalid\")", "%3Cscript%3E", "\u200f\u200eab", "\u202dab", "\ufeffx",
    "\u0000", "\U0001f600", "{% raw %}", "&#60;b&#62;", "<B>" * 4_000,
]  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_are_shown_as_words(words):
    histogram = Histogram(edges=np.array([-1.0, 0.0, 1.0]), share=np.array([0.5, 0.5]))
    choice = Choice(label=words, mean=1.0, p10=0.0, p90=2.0, chance=0.5, histogram=histogram)
    seen = Seen(verdict="fix", why=words, choices=(choice,), gates=((words, words),), currency=words)
    made = [
        picture_of(seen, seen, hurdle=0.0),
        table_html(seen, seen), verdict_html(seen, seen, words), gates_html(seen),
        note_html(words, [words]), refused_html(words, [Refusal(keys=(words,), said=words)], {words: words}),
    ]  # fmt: skip
    for html in made:
        assert "<script" not in html
        assert "<img" not in html
        assert not any(sign in html for sign in "\u202e\u2066\x00\x1b")
        assert set(re.findall(r"</?([a-zA-Z0-9]+)", html)) <= {
            "svg", "path", "table", "tr", "td", "th", "bdi", "h2", "p", "ul", "li", "b", "div", "span",
        }  # fmt: skip
        for part in ET.fromstring(
            f"<div>{html}</div>"
        ).iter():  # whole, so that nothing broke out of an attribute
            assert not any(name.startswith("on") or "href" in name for name in part.attrib)


def test_the_picture_cuts_at_the_hurdle_and_says_its_numbers():
    histogram = Histogram(edges=np.array([-100.0, 0.0, 100.0]), share=np.array([0.25, 0.75]))
    choice = Choice(label="Scale", mean=50.0, p10=-50.0, p90=90.0, chance=0.75, histogram=histogram)
    seen = Seen(verdict="fix", why="", choices=(choice,), gates=(), currency="EUR")
    drawn = picture_of(seen, hurdle=0.0)
    assert "Scale: pays in" in drawn
    assert drawn.count("fill='#00846b'") == drawn.count("fill='#c04a00'") == 1
    assert len(drawn) < 60_000
    assert picture_of(Seen(verdict="kill", why="", choices=(), gates=(), currency=""), hurdle=0.0) == ""


@pytest.fixture
def made_panel(fixed, tmp_path):
    """The panel of a made pilot, and what it would do when the hand rests."""
    pytest.importorskip("ipywidgets")
    loaded = replace(fixed.a.loaded, path=copied(tmp_path))
    waiting = []

    def later(_, act):
        waiting.append(act)
        return SimpleNamespace(cancel=waiting.clear)

    pilot = SimpleNamespace(loaded=loaded, decision=SimpleNamespace(analysis=fixed.a))
    return Panel(pilot, later=later), waiting


def test_a_browser_is_told_the_verdict_after_all_that_it_rests_on(made_panel):
    panel, waiting = made_panel
    told: list[str] = []
    before: set[str] = set()
    for name in ("verdict", "table", "chart", "gates"):
        getattr(panel, name).observe(lambda _, name=name: told.append(name), "value")
    for act in (
        lambda: setattr(panel.sliders[LABOUR], "value", panel.sliders[LABOUR].max),  # a sketch
        lambda: waiting[-1](),  # the decision
        lambda: setattr(panel.numbers[CASH], "value", 0.95),  # which may not be
        lambda: setattr(panel.numbers[CASH], "value", panel.rows[CASH].dial.written),
    ):
        told.clear()
        act()
        assert told[-1] == "verdict"
        before |= set(told[:-1])
    assert before >= {"table", "chart", "gates"}


def test_the_panel_shows_no_verdict_of_what_is_not_allowed_and_says_why_beside_it(made_panel):
    panel, waiting = made_panel
    first = panel.verdict.value, panel.table.value, panel.chart.value, panel.gates.value
    panel.sliders[LABOUR].value = panel.sliders[LABOUR].max
    assert len(waiting) == 1
    panel.numbers[CASH].value = 0.95
    assert "no verdict" in panel.verdict.value
    assert "cannot exceed 1" in panel.verdict.value
    assert panel.table.value == panel.chart.value == panel.gates.value == ""
    assert "Not allowed: " in panel.rows[CASH].said.value
    assert "lower one of them" in panel.rows[CASH].said.value
    assert "Not allowed" not in panel.rows[REDEPLOYED].said.value + panel.rows[LABOUR].said.value
    assert not waiting, "what was to be decided before is not"
    assert panel.buttons["Save as parameters"].disabled
    panel.keep()
    panel.decided()
    assert panel.kept is None
    assert "no verdict" in panel.verdict.value
    assert panel.save() is None
    assert "cannot exceed 1" in panel.said.value

    panel.numbers[CASH].value = panel.rows[CASH].dial.written  # mended
    assert panel.rows[CASH].said.value == ""
    assert "deciding" in panel.verdict.value
    assert panel.table.value
    assert not panel.buttons["Save as parameters"].disabled
    panel.sliders[LABOUR].value = panel.rows[LABOUR].dial.written
    assert panel.setting == Setting()
    waiting[-1]()
    assert (panel.verdict.value, panel.table.value, panel.chart.value, panel.gates.value) == first


def test_a_number_that_is_typed_may_lie_beyond_the_slider_and_between_its_places(made_panel):
    panel, _ = made_panel
    key = "economics.error_cost.major"
    for typed, at in ((1e6, panel.sliders[key].max), (1234.56, 1234.56)):
        panel.numbers[key].value = typed
        assert panel.setting.values == {key: typed}
        assert panel.sliders[key].value == at
    panel.sliders[key].value = panel.rows[key].dial.low
    assert panel.numbers[key].value == panel.setting.values[key] == panel.rows[key].dial.low
    assert "Stated: 1,200" in panel.rows[key].said.value
    panel.reset()
    assert panel.setting == Setting()
    assert all(row.number.value == row.dial.written for row in panel.rows.values())
    assert not any(row.said.value for row in panel.rows.values())


def test_a_range_that_was_moved_says_what_it_has_become(made_panel):
    panel, _ = made_panel
    panel.numbers[LABOUR].value = 2 * panel.rows[LABOUR].dial.value
    assert "Stated: 38 to 46. Now: 76 to 92" in panel.rows[LABOUR].said.value


def test_what_is_kept_stands_below_what_is_now(made_panel):
    panel, waiting = made_panel
    panel.keep()
    panel.sliders[LABOUR].value = panel.sliders[LABOUR].min
    waiting[-1]()
    rows = ET.fromstring(panel.table.value).iter("tr")
    heads = [["".join(th.itertext()) for th in row.iter("th")] for row in rows][1:]
    assert [h[0] for h in heads[1::3]] == ["now"] * (len(heads) // 3)
    assert [h[0] for h in heads[2::3]] == ["kept"] * (len(heads) // 3)
    assert "Kept: " in panel.verdict.value


@pytest.mark.slow
def test_the_panel_moves_compares_saves_and_resets(tmp_path):
    pytest.importorskip("ipywidgets")
    waiting = []
    pilot = example("support_replies")
    panel = Panel(pilot, later=lambda _, act: waiting.append(act) or SimpleNamespace(cancel=lambda: None))
    assert "Scale" in panel.verdict.value
    before = panel.table.value
    panel.keep()
    panel.sliders[LABOUR].value = panel.sliders[LABOUR].min
    assert "deciding" in panel.verdict.value
    waiting[-1]()
    assert "deciding" not in panel.verdict.value
    assert panel.table.value != before
    assert "kept" in panel.table.value
    path = copied(tmp_path, "support_replies")
    panel.explorer.a = decide_again(panel.explorer.a, loaded=load_parameters(path))
    panel.name.value = "tried"
    target = panel.save()
    assert target is not None, panel.said.value
    assert LABOUR in target.read_text(encoding="utf-8")
    panel.name.value = "../x"
    assert panel.save() is None
    assert "a name is of" in panel.said.value
    panel.reset()
    assert panel.setting == Setting()
    assert panel.table.value == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["claims_intake", "support_replies"])
def test_the_saved_file_decides_as_the_panel_did(tmp_path, name):
    explorer = Explorer(example(name).decision.analysis)
    setting = Setting()
    for key, factor in (
        (LABOUR, 0.8),
        ("economics.realisation.cash", 1.2),
        ("economics.adoption.ramp_months", 2.0),
    ):
        if any(d.key == key for d in explorer.dials):
            setting = setting.with_dial(dial(explorer, key), dial(explorer, key).value * factor)
    copied(tmp_path, name)
    saved = load_parameters(write_saved(stated(tmp_path / "params" / f"{name}.yaml"), setting, "tried"))
    again = decide_again(explorer.a, loaded=saved)
    ours = explorer.decide(setting)
    assert again.verdict.verdict == ours.verdict.verdict
    assert np.array_equal(again.scale.worth, ours.scale.worth)
