"""A study like WESAD, where one sample lies 35 sd out: all surfaces name it, none lets it lead.

The run has no refits and does not clip its features.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from smurf_core.evaluation.influence import share_influence
from smurf_core.evaluation.redundancy import share_intervals
from smurf_core.explained import explained
from smurf_core.plot.html_report import figure_files
from smurf_core.processes import worker
from smurf_core.reporting.bundle import report_of
from smurf_core.reporting.statements import account
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace
from tests.far_sample import FAR, recorded_badly
from tests.studio import FAST, figure, numbers, opened_tab, result_of
from tests.surfaces import false_claims, said_by_command, said_by_page, said_in_html

SAMPLE = f"w{FAR}"
CLAIMS = ("carries most", "carries the largest part", "is unique to one of them")


@pytest.fixture(scope="module")
def _far_home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("far")
    workspace = Workspace(home)
    study = studies.add_study(workspace, recorded_badly())
    for model in ("late_fusion", "smurf"):
        config = replace(FAST, model=model, clip=None, max_epochs=60)
        store.create_run(workspace, study, config, jobs=1)
    worker.work(workspace)
    return home


@pytest.fixture
def run(_far_home, monkeypatch) -> tuple[Workspace, store.RunInfo, pd.DataFrame]:
    """The workspace, the run, and its shares with and without the sample."""
    monkeypatch.setenv(HOME_VARIABLE, str(_far_home))
    workspace = Workspace.default()
    info = next(r for r in store.list_runs(workspace) if r.config.model == "smurf")
    found = explained(result_of(workspace, info), studies.load_study(workspace, info.study_id))
    influence = share_influence(found, share_intervals(found))
    assert influence.sample_ids == (SAMPLE,)
    return workspace, info, influence.terms


def names_it_and_does_not_let_it_lead(words: str) -> None:
    flat = " ".join(words.split())
    assert "Shares depend on single samples:" in flat
    assert f"without {SAMPLE} (one of 150 samples), emg carries" in flat
    assert "It lies far from the training data: emg" in flat
    assert not [claim for claim in CLAIMS if claim in flat]


def percents(shares: pd.Series) -> set[str]:
    return {f"{100 * share:.1f}%".replace("-", "−").replace("−0.0", "0.0") for share in shares}


def test_overview_draws_the_shares_without_it_beside_the_others(open_page, run):
    _, info, terms = run
    page = open_page("overview", study=info.study_id, run=info.id)
    words = said_by_page(page)
    names_it_and_does_not_let_it_lead(words)
    assert "cannot be said" in words
    assert f"◇: without {SAMPLE}" in words
    bars, diamonds, written = figure(page, "shares")["data"]
    for drawn, column in ((bars, "share"), (diamonds, "share_without")):
        assert sorted(numbers(drawn["x"])) == pytest.approx(sorted(terms[column]), abs=1e-9)
    assert all(" ◇ " in text for text in written["text"])
    emg = terms[terms["modality"] == "emg"]
    share, without = (f"{emg[column].sum():.0%}" for column in ("share", "share_without"))
    assert f"<b>emg</b>  {share} ◇ {without}" in bars["y"][0]
    table = next(t.value for t in page.dataframe if "own_share" in t.value)
    shown = table["without"].str.replace("−", "-").str.rstrip("%").astype(float) / 100
    assert sorted(shown) == pytest.approx(sorted(terms["share_without"]), abs=5.1e-5)
    # A run without refits has other verdicts, and does not speak of models of other persons.
    assert set(table["verdict"]) <= {"stable", "unstable", "not separated", "too small to tell"}
    assert "odels of other persons" not in words


def test_compare_and_redundancy_name_it_beside_their_shares(open_page, run):
    workspace, info, _ = run
    result = result_of(workspace, info)
    found = explained(result, studies.load_study(workspace, info.study_id))
    depends = {name: account(result, found, output=name).shares for name in result.outputs}
    depends = {name: shares.influence for name, shares in depends.items() if shares.influence}
    name, sentence = next(iter(depends.items()))
    page = open_page("redundancy", study=info.study_id, run=info.id)
    page.selectbox(key=f"redundancy_class_{info.id}").set_value(name).run()
    assert SAMPLE in sentence
    assert sentence in said_by_page(page)
    page = open_page("compare", study=info.study_id, run=info.id)
    words = said_by_page(page)
    names_it_and_does_not_let_it_lead(words)
    assert "Run A: Shares depend on single samples" in words
    opened_tab(page, "compare_tab", "Runs A and B")
    agreement = next(t.value for t in page.dataframe if "Verdict, run A" in t.value)
    assert set(agreement["Verdict, run A"]) <= {
        "stable", "unstable", "not separated", "too small to tell",
    }  # fmt: skip


def test_commands_print_the_share_without_it(run, tmp_path):
    _, info, terms = run
    shown = said_by_command("show", info.id)
    names_it_and_does_not_let_it_lead(shown)
    assert f"share without {SAMPLE}" in " ".join(shown.split())
    for expected in (*percents(terms["share"]), *percents(terms["share_without"])):
        assert expected in shown
    folder = tmp_path / "tables"
    said_by_command("evaluate", info.id, "--folder", str(folder), "--permutations", "10")
    names_it_and_does_not_let_it_lead((folder / "sentences.txt").read_text())


def test_reports_print_and_draw_the_share_without_it(run, monkeypatch):
    workspace, info, terms = run
    monkeypatch.setenv("BROWSER_PATH", "/nonexistent")  # Images take time.
    files = report_of(workspace, info, extensions=[figure_files])
    page = files["report.html"].decode()
    names_it_and_does_not_let_it_lead(said_in_html(page))
    assert false_claims(said_in_html(page))  # They would be seen where nothing may be claimed.
    assert f"What carries the prediction, without {SAMPLE}" in page
    latex = files["tables/shares_of_variance.tex"].decode()
    assert f"Share without {SAMPLE}" in latex
    for expected in (*percents(terms["share"]), *percents(terms["share_without"])):
        assert expected in page
        assert expected.replace("%", r"\%").replace("−", "$-$") in latex
    for name in ("sentences.txt", "tables/tables.tex", "model/model_card.md"):
        words = files[name].decode().replace("\\", "").replace("{-}", "-")
        names_it_and_does_not_let_it_lead(words)
