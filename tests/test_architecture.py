"""The house: modules import only from those before them, notebooks are thin, files stay short."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "roi"

# The order in which data flows; a module imports only from modules before it. A folder holds siblings only.
ORDER = """
    problems scalars strict_yaml json_object locales same special roots uncertain schema parameters rounding words units signs named pictures
    privacy canonical prices readers relation importers importing dress casts styles named_units mapping typed numbered blocks coded conventions sample_tables checks places periods versions copies categories
    join_keys time_entries join_rates sample_joins input_kinds check_digits input_rules raw_inputs input_cells input_tables views engine approvals exclusions samples preview
    draws marginals proportions agreement assumptions moments aggregates label_moments demo_moments spreads loss_moments reduce input_quality case_bits acted acted_bits alike integration oversight told_actions approval_kinds model_costs
    designs contrasts case_sums arm_shares comparability estimate clusters rectify labels covariate scores mix pooling cells severities rates measured linear demo_effects demo_parts demo_split excess evidence_shares lost_minutes causes cause_words clean_world economics cashflow returns
    made_with chain ledger log_lines row_changes seal_file seal_faults seal_state seal_words log_seal gate controls gates design_gate tariff conditional information ranked sampling approval_losses approving remedies narrower options alternatives measures prospects mended plans price_limits set_gates set_gains set_bounds set_look set_order remedy_sets remedy_set approval_choice gate_check verdict unmeasured looks error_rates labelling_plan drawn_list
    comparable unit_order taken analysis measured_at plan_at levers sensitivity price_change price_scenarios variance fewer_draws drivers again corners what_if sketch estimates money cause_prices after_remedy demanded_approving remedy_worth ceilings remedy_record no_fix advice option_record stopping first_view footing supposed in_scope claims self_reports demo_gap ladder audit_inputs audit_actions audit approval_designs approval_rows approval_words approval_design scorecard_record quantities evidence next_step knowing record archive issue taken_over people signing cause_pictures illustrate pilot asked operating records diff vouched replay laying shapley swap attribution sequences detection control_charts monitor_columns monitor_days monitor_basis monitor_tests monitor_mix monitor_action monitor_charts monitor_record monitor actual_rows actuals forecast decided learnt apart shown plausible realised optimism forecast_scores operate shared funding discoveries candidates as_it_stands joint funded scarcity held hours upcoming portfolio assembled matched sides compare
    guess light_imports workbook report explore batch export commands cli_batch cli_import cli_record cli_operate cli_share cli
""".split()  # noqa: SIM905 – a list to read, not to parse


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room(name: str) -> str:
    """The module or folder of the order that a dotted name belongs to."""
    return name.split(".")[1]


def imported(path: Path) -> set[str]:
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    typing_only = {
        id(child)
        for node in nodes
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in nodes:
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "roi":
            names = [node.module] if node.module != "roi" else [f"roi.{a.name}" for a in node.names]
            found |= {room(str(n)) for n in names if "." in str(n)}
        elif isinstance(node, ast.Import):
            found |= {room(a.name) for a in node.names if a.name.startswith("roi.")}
    return found


def own_room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def test_the_order_names_every_module():
    assert {own_room(p) for p in modules()} == set(ORDER) & {own_room(p) for p in modules()}
    assert {own_room(p) for p in modules()} <= set(ORDER)
    assert set(ORDER) <= {own_room(p) for p in modules()}


def test_imports_point_backwards_only():
    """All modules at once, whose mistakes are told together."""
    wrong = []
    for path in modules():
        here = own_room(path)
        later = {name for name in imported(path) if name != here and ORDER.index(name) > ORDER.index(here)}
        if later:
            wrong.append(f"{path.relative_to(PACKAGE)} imports from {sorted(later)}, which come after it")
    assert not wrong, "\n".join(wrong)


def test_files_stay_short():
    lines = {str(p.relative_to(PACKAGE)): len(p.read_text(encoding="utf-8").splitlines()) for p in modules()}
    assert {name: n for name, n in lines.items() if n > 400} == {}, "a file that wants to be two"


TEXTS = {".py", ".md", ".toml", ".yaml", ".ipynb", ".j2", ".css", ".html", ".typ"}


def test_nothing_names_a_machine_or_a_registry():
    ours = []
    for folder, below, names in os.walk(ROOT):
        below[:] = set(below) - {".venv", ".git", "reports", "dist"}  # goes into no environment
        ours += [Path(folder, name) for name in names if Path(name).suffix in TEXTS]
    assert len(ours) > 50
    pattern = re.compile(
        r"(?:^|[^\w.<])/(?:work|farm|root|home/(?!me/)\w+)/|pypi\.org|files\.pythonhosted|registry\.npmjs",
        re.M,
    )
    found = [
        p.relative_to(ROOT)
        for p in ours
        if p != Path(__file__) and pattern.search(p.read_text(encoding="utf-8"))
    ]
    assert not found


def test_the_lock_file_is_not_tracked():
    assert "uv.lock" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
