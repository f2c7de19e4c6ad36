import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from smurf_core.evaluation.metrics import METRICS
from smurf_core.explained import explained
from smurf_core.reporting.bundle import report_of, run_titles
from smurf_core.reporting.cards import card_source
from smurf_core.reporting.findings import example_cards, examples, find, report_tables
from smurf_core.reporting.latex import document, escape, tabular
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import list_runs
from smurf_core.runs.studies import load_study


@pytest.fixture(scope="module")
def dataset(reported):
    return load_study(reported, list_runs(reported)[0].study_id)


@pytest.fixture(scope="module")
def found(reported, dataset):
    runs = list_runs(reported)[::-1]
    results = {run.id: RunFiles.of(reported, run.id).read_result() for run in runs}
    return find(results, run_titles(runs), dataset, reference=runs[0].id)


@pytest.fixture(scope="module")
def with_good_verdicts(reported, found, dataset):
    """The same as if all contributions were findings: a short training has none."""
    result = RunFiles.of(reported, found.reference).read_result()
    outlying, good = found.tables["outlying_samples"], found.verdicts.assign(verdict="stable")
    assert not any(map(len, found.typical.values()))
    shown = explained(result, dataset)
    typical = examples(result, shown, outlying, good)
    source = card_source(result, shown, verdict_table=good, outlying=outlying)
    return replace(found, typical=typical, cards=example_cards(source, typical))


def numbers(line: str) -> list[float]:
    """Every number in a line of LaTeX, minus signs and bold face undone."""
    return [float(n) for n in re.findall(r"-?\d+\.\d+", line.replace("$-$", "-"))]


def test_special_characters_are_escaped_and_unknown_ones_named():
    assert escape(r"50% & #1 {a} \ ~^$") == (
        r"50\% \& \#1 \{a\} \textbackslash{} \textasciitilde{}\textasciicircum{}\$"
    )
    assert escape("ŷ λ ± ↓ ↑") == r"$\hat{y}$ $\lambda$ $\pm$ $\downarrow$ $\uparrow$"
    assert escape("ŷ é 中") == r"$\hat{y}$ é [U+4E2D]"  # a letter and an accent, combined


def test_table_2_prints_the_numbers_of_the_comparison_and_the_best_in_bold(found, dataset):
    (table,) = [t for t in report_tables(found, dataset) if t.name == "table_2_performance"]
    lines = [line for line in tabular(table).splitlines() if line.endswith(r"\\") and " & " in line]
    lines = lines[1:]  # without the header
    assert len(lines) == len(METRICS["regression"])
    for metric, line in zip(METRICS["regression"], lines, strict=True):
        rows = found.comparison[found.comparison["metric"] == metric].set_index("model")
        rows = rows.loc[list(found.titles)]
        printed = numbers(line)[-4:]
        assert printed == pytest.approx(rows[["mean", "sd"]].to_numpy().ravel(), abs=5.01e-4)
        best = rows["mean"].max() if metric in ("r", "ccc") else rows["mean"].min()
        bold = re.findall(r"\\textbf\{([^}]*)\}", line)
        assert float(bold[0].replace("$-$", "-")) == pytest.approx(best, abs=5.01e-4)
    assert table.numbers[["mean", "sd"]].equals(found.comparison[["mean", "sd"]])


def test_tables_3_and_5_print_the_numbers_of_their_evaluations(found, dataset):
    tables = {table.name: table for table in report_tables(found, dataset)}
    judged = tables["table_3_human_judgments"]
    shown = [float(row[2].text.replace("−", "-").rstrip("*")) for row in judged.rows]
    assert shown == pytest.approx(found.agreement["r"].tolist(), abs=5.01e-4)
    calibrated = [row[4].text.replace("−", "-").rstrip("*") for row in judged.rows]
    expected = found.agreement["r_calibrated"].map(lambda r: "–" if np.isnan(r) else f"{r:.3f}")
    assert calibrated == expected.tolist()
    assert "r, calibrated" in tabular(judged)
    assert r"\hat{y}_{\mbox{\scriptsize voice\_\&\_50\%+text}}" in tabular(judged)
    missing = tables["table_5_missing_modalities"]
    assert [row[0].text for row in missing.rows][:3] == ["voice_&_50%", "text", "face"]
    for column, model in enumerate(found.titles, start=1):
        means = found.missing[found.missing["model"] == model]["mean"]
        cells = [float(row[column].text.split()[0].replace("−", "-")) for row in missing.rows]
        assert cells == pytest.approx(means.tolist(), abs=5.01e-4)


def test_the_second_witness_prints_its_totals_and_subsets(found, dataset):
    (table,) = [t for t in report_tables(found, dataset) if t.name == "second_witness"]
    printed = [float(row[1].text.replace("−", "-")) for row in table.rows]
    assert found.witness is not None
    expected = [*found.witness.totals["r2"], *found.witness.subsets["r2"]]
    assert printed == pytest.approx(expected, abs=5.01e-4)
    assert table.rows[-1][0].text == "voice_&_50%+text+face"


def test_table_6_lists_no_contribution_whose_verdict_is_not_good(found, dataset):
    assert "table_6_examples" not in [table.name for table in report_tables(found, dataset)]


def test_table_6_lists_the_highest_scores_with_their_transcripts(with_good_verdicts, dataset):
    found = with_good_verdicts
    (table,) = [t for t in report_tables(found, dataset) if t.name == "table_6_examples"]
    first = found.typical["unique"].iloc[0]
    row = table.rows[0]
    assert row[0].text == first["sample_id"]
    assert row[1].text == dataset.samples["transcript"][first["sample_id"]]
    assert float(row[3].text.replace("−", "-")) == pytest.approx(first["contribution"], abs=5.1e-4)
    assert np.isclose(dataset.target[dataset.sample_ids == first["sample_id"]], first["target"])


def test_the_cards_of_table_6_are_the_first_of_each_list(with_good_verdicts, dataset):
    found = with_good_verdicts
    (table,) = [t for t in report_tables(found, dataset) if t.name == "examples"]
    listed = [
        sample
        for rows in found.typical.values()
        for sample in rows["sample_id"].drop_duplicates().head(3)
    ]
    assert [card.sample_id for card in found.cards] == listed
    for card, row in zip(found.cards, table.rows, strict=True):
        assert row[0].text == card.sample_id
        assert row[-1].text == card.sentence
        assert [cell.text for cell in row[4:-1]] == [card.written(r.alone) for r in card.rows]
    assert escape(found.cards[0].sentence) in tabular(table)


def test_table_6_marks_samples_far_from_the_training_data(with_good_verdicts, dataset):
    found = with_good_verdicts
    (table,) = [t for t in report_tables(found, dataset) if t.name == "table_6_examples"]
    assert "In brackets" not in table.caption
    first = found.typical["unique"].assign(mark=["face: 35 sd"] + [""] * 49)
    marked = replace(found, typical={**found.typical, "unique": first})
    (table,) = [t for t in report_tables(marked, dataset) if t.name == "table_6_examples"]
    assert table.rows[0][0].text == f"{first['sample_id'].iloc[0]} (face: 35 sd)"
    assert table.rows[1][0].text == first["sample_id"].iloc[1]
    assert "In brackets: samples far outside the training data" in table.caption


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="No pdflatex here: install TeX Live.")
def test_all_tables_compile_whatever_is_in_their_names(
    reported, with_good_verdicts, dataset, tmp_path
):
    assert "tables/table_3_human_judgments.tex" in report_of(reported, list_runs(reported)[0])
    tables = report_tables(with_good_verdicts, dataset)
    (tmp_path / "tables.tex").write_text(document(tables, dataset.name), encoding="utf-8")
    for table in tables:
        (tmp_path / f"{table.name}.tex").write_text(tabular(table), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "tables"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
    assert (tmp_path / "tables.pdf").stat().st_size > 10_000
