"""roi sample: what is drawn depends on the seed and the rows alone, and says with which chance."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pilots import cases, controls, write_pilot

from roi.cli import main
from roi.drawn_list import allocate, as_csv, draw_list
from roi.parameters import load_parameters
from roi.samples import open_samples


def unlabelled(n=300):
    """Cases of which people labelled the first fifth."""
    rows = cases(n)
    for row in rows[n // 5 :]:
        row["outcome"] = row["severity"] = ""
    return rows


@pytest.fixture(scope="module")
def pilot(tmp_path_factory):
    return write_pilot(tmp_path_factory.mktemp("pilot"), unlabelled())


def drawn(path, *options):
    result = CliRunner().invoke(main, ["sample", str(path), *options])
    assert result.exit_code == 0, result.output
    return result


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_any_order_of_rows(tmp_path):
    """Only the row numbers tell in which order the rows lie."""
    rows = unlabelled()
    logs = controls(rows)
    first = write_pilot(tmp_path / "a", rows, tables=logs)
    shuffled, actions = rows[:], logs["actions"][:]
    random.Random(1).shuffle(shuffled)
    random.Random(2).shuffle(actions)
    second = write_pilot(tmp_path / "b", shuffled, tables=logs | {"actions": actions})
    one, again, other = (drawn(p, "-n", "20", "--seed", "3").stdout for p in (first, first, second))
    assert one == again

    def without_row(text):
        return [{k: v for k, v in row.items() if k != "row"} for row in read(text)]

    assert without_row(one) == without_row(other)
    assert without_row(one) != without_row(drawn(first, "-n", "20", "--seed", "4").stdout)
    assert Counter(row["table"] for row in read(one)) == {"cases": 20, "actions": 20}


def test_the_row_is_the_row_of_the_source(pilot):
    """Data rows from 1: the drawn case has the arm that the file has there."""
    rows = unlabelled()
    for row in read(drawn(pilot, "-n", "30", "--table", "cases").stdout):
        there = rows[int(row["row"]) - 1]
        assert (there["arm"], there["segment"]) == (row["arm"], row["segment"])
        assert (there["outcome"] != "") == (row["outcome_known"] == "true")


def test_every_case_could_have_been_drawn_and_the_chances_add_up(pilot):
    """The sum of 1 / chance over the list is the number of cases: the list stands for all of them."""
    found = read(drawn(pilot, "-n", "40", "--table", "cases").stdout)
    assert len(found) == 40
    assert sum(1 / float(row["probability"]) for row in found) == pytest.approx(300, rel=1e-6)
    strata = {(r["arm"], r["segment"], r["outcome_known"]) for r in found}
    assert len(strata) == 8
    for row in found:
        assert float(row["probability"]) == pytest.approx(int(row["drawn"]) / int(row["stratum_rows"]))


def test_a_list_for_labels_is_blind_and_of_cases_without_a_label(pilot):
    result = drawn(pilot, "-n", "50", "--for", "labels")
    found = read(result.stdout)
    rows = unlabelled()
    assert set(found[0]) == {"table", "id", "row", "label_probability", "outcome", "severity"}
    there = [rows[int(row["row"]) - 1] for row in found]
    assert all(row["outcome"] == "" for row in there)
    assert Counter(row["arm"] for row in there) == {"pilot": 25, "baseline": 25}
    assert sum(1 / float(row["label_probability"]) for row in found) == pytest.approx(240, rel=1e-6)
    assert "60 cases have a person's label already: give them label_probability 1" in result.stderr
    assert "more labelled cases with the agent, none of them severe" in result.stderr


def test_no_name_of_a_case_is_printed(pilot):
    result = drawn(pilot, "-n", "300")
    assert "T00" not in result.output
    assert all(row["id"].startswith(("c-", "a-")) for row in read(result.stdout))


def test_a_segment_is_never_a_formula(tmp_path):
    rows = cases(60, segments={"=1+1": 0.5, "@b": 0.5})
    path = write_pilot(tmp_path, rows, {"demand": {"mix": None}}, without=("actions",))
    samples = open_samples(load_parameters(path))
    text = as_csv([draw_list(samples, table="cases", purpose="audit", n=20, seed=1)])
    assert not any(
        cell.startswith(("=", "+", "-", "@")) for row in csv.reader(io.StringIO(text)) for cell in row
    )


def test_a_file_that_is_there_is_not_written_over(pilot, tmp_path):
    out = tmp_path / "list.csv"
    drawn(pilot, "-n", "5", "-o", str(out))
    before = out.read_bytes()
    again = CliRunner().invoke(main, ["sample", str(pilot), "-o", str(out)])
    assert again.exit_code == 2
    assert "is there already" in again.output
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--table", "actions"], "is not given"),
        (["--table", "actions", "--for", "labels"], "actions are not labelled"),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path, options, said):
    path = write_pilot(tmp_path, cases(40), without=("actions",))
    result = CliRunner().invoke(main, ["sample", str(path), *options])
    assert result.exit_code == 2
    assert said in result.output


@given(st.lists(st.integers(1, 500), min_size=1, max_size=12), st.integers(1, 800))
def test_allocation_keeps_to_its_numbers(sizes, n):
    taken = allocate(sizes, n)
    assert sum(taken) == min(n, sum(sizes))
    assert all(0 <= t <= size for t, size in zip(taken, sizes, strict=True))
    if n >= len(sizes):
        assert all(t >= 1 for t in taken)
    if n >= 10 * len(sizes) >= 20 and max(sizes) < 3 * min(sizes):
        share = min(n, sum(sizes)) / sum(sizes)
        assert all(abs(t - size * share) < 1 + 1e-9 for t, size in zip(taken, sizes, strict=True))
