"""Report, export and commands of runs whose sets the data select."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import smurf_core as smurf
from smurf_core.cli.application import app
from smurf_core.data.generated.families import simulate
from smurf_core.errors import InputError
from smurf_core.explained import explained
from smurf_core.plot.html_report import figure_files
from smurf_core.plot.report_figures import report_figures
from smurf_core.processes import worker
from smurf_core.reporting.bundle import report_of
from smurf_core.reporting.findings import find
from smurf_core.reporting.sharing import NOTHING_SHARED, sharing_sentence, sharing_table
from smurf_core.runs import store, studies
from smurf_core.runs.files import RunFiles
from tests.shared_sets import CONFIG, SIZES, exclusive_run


@pytest.fixture
def run(home, request):
    family = getattr(request, "param", "pair_and_triple")
    study = studies.add_study(home, simulate(family, samples=SIZES[family]))
    store.create_run(home, study, CONFIG, jobs=1)
    worker.work(home)
    return store.list_runs(home)[0]


def invoke(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("run", SIZES, indirect=True)
def test_a_report_has_sets_refits_and_no_empty_curves(home, run):
    result = RunFiles.of(home, run.id).read_result()
    files = report_of(home, run, extensions=[figure_files])
    page = files["report.html"].decode()
    # Where the model predicts nothing, nothing is said of what modalities share.
    is_open = "noise" not in run.name and "noise" not in page.split("</title>")[0]
    assert ("Who shares with whom" in page) == is_open
    assert "Learning curves" not in page
    assert "tables/sharing.csv" in files
    assert ("tables/sharing.tex" in files) == is_open
    card = files["model/model_card.md"].decode()
    assert "| solved |" in card
    assert "sign-flipped" not in card
    for name in ("model/model_card.md", "tables/tables.tex"):
        words = files[name].decode().replace("|", " ").replace("&", " ").split()
        assert not {"nan", "None", "NaN"} & set(words), name
    found = result.contributions()
    refits = pd.read_parquet(io.BytesIO(files["refits.parquet"]))
    assert list(refits) == ["draw", "order", "modality", "shared_with", "output", "share"]
    # Shares of every draw and output add up to one.
    sums = refits.groupby(["draw", "output"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(len(sums)), abs=1e-4)
    assert refits["draw"].max() == CONFIG.refits
    one = refits[(refits["draw"] == 7) & (refits["output"] == refits["output"].iloc[0])]
    names = [*zip(one["order"], one["modality"], one["shared_with"], strict=True)]
    assert names == list(found.term_names())
    assert one["share"].to_numpy() == pytest.approx(result.refits.shares[6, :, 0])
    tidy = pd.read_parquet(io.BytesIO(files["contributions.parquet"]))
    row = tidy[(tidy["sample_id"] == found.sample_ids[5]) & (tidy["output"] == found.outputs[-1])]
    assert row["spread"].to_numpy() == pytest.approx(result.refits.spread[5, :, -1])


def test_show_evaluate_export_and_predict_name_every_set(home, run, tmp_path):
    shown = invoke("show", run.id)
    assert "redundant A, with B and C" in shown
    assert "features alone, ridge" in shown
    assert "solved" in shown
    assert "A, B and C" in shown
    assert "nan" not in shown.lower()
    invoke("evaluate", run.id, "--folder", str(tmp_path / "tables"), "--permutations", "100")
    table = pd.read_csv(tmp_path / "tables" / "sharing.csv")
    assert table[table["is_there"]]["sharers"].tolist() == ["A+B", "A+B+C"]
    invoke("export", run.id, "--folder", str(tmp_path / "out"))
    assert any(path.stem == "refits" for path in (tmp_path / "out").iterdir())
    new = simulate("pair_and_triple", samples=20, draw=1)
    paths = []
    for name, features in new.features.items():
        frame = pd.DataFrame(features.values, columns=features.names)
        frame.insert(0, "sample_id", new.sample_ids)
        paths.append(tmp_path / f"{name}.csv")
        frame.to_csv(paths[-1], index=False)
    invoke("predict", run.id, *map(str, paths), "--output", str(tmp_path / "new"))
    found = pd.concat(
        pd.read_csv(path) for path in (tmp_path / "new").glob("*.csv") if "contrib" in path.name
    )
    assert "B&C" in set(found["shared_with"])


def test_figures_of_notebooks_have_every_set_or_say_why_not():
    result, dataset = exclusive_run("pair_and_triple")
    found = result.contributions()
    bars = smurf.plot.shares(found).data
    assert [bar.name for bar in bars if bar.marker.pattern.shape == "x"] == [
        "A, shared with B and C", "B, shared with A and C", "C, shared with A and B",
    ]  # fmt: skip
    figure = smurf.plot.sample(found, found.sample_ids[0])
    assert "C, shared with A and B" in figure.data[0].y
    assert smurf.plot.sharing(result).data[0].y[-1] == "A, B and C"
    cells = np.asarray(smurf.plot.redundancy(found).data[0].z, dtype=float)
    assert np.isfinite(cells[0, 1])
    assert np.isnan(cells[0, 2])  # A and C share nothing alone.
    pages = report_figures(find({"x": result}, {"x": "x"}, dataset, reference="x"),
                           explained(result, dataset), result)  # fmt: skip
    assert {"sharing", "redundancy", "shares_by_pair", "true_factors"} <= set(pages)
    assert "learning_curves" not in pages


def test_where_no_set_is_there_there_is_a_sentence():
    result, _ = exclusive_run("pair_and_triple")
    nothing = result.sharing.assign(is_there=False)
    assert sharing_sentence(nothing) == NOTHING_SHARED
    assert sharing_table(nothing).caption.startswith(NOTHING_SHARED)
    assert {row[-1].text for row in sharing_table(nothing).rows} == {"no"}


def test_a_set_of_three_alone_has_no_pair_to_draw():
    found = exclusive_run("pair_and_triple")[0].contributions()
    kept = found.where(lambda term: len(term.sharers) != 2)
    terms = tuple(term for term, is_kept in zip(found.terms, kept, strict=True) if is_kept)
    alone = replace(found, values=found.values[:, kept], terms=terms)
    with pytest.raises(InputError, match=r"plot\.sharing"):
        smurf.plot.redundancy(alone)
    unique = alone.where(lambda term: term.is_unique)
    terms = tuple(term for term in alone.terms if term.is_unique)
    with pytest.raises(InputError, match="no modalities share"):
        smurf.plot.redundancy(replace(alone, values=alone.values[:, unique], terms=terms))
