"""Findings: every sentence against the tables, on page, in reports and in the terminal."""

import re

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.evaluation.complete import tables_of_run
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.explained import explained
from smurf_core.plot.html_report import figure_files
from smurf_core.processes import worker
from smurf_core.reporting.bundle import report_of
from smurf_core.reporting.findings import find
from smurf_core.reporting.key_findings import MOST, findings_first
from smurf_core.reporting.numbers import plain
from smurf_core.reporting.statements import account
from smurf_core.runs import demo, store, studies
from smurf_core.runs.demo import ensure_demo
from smurf_core.runs.wording import edit_finding, read_wording, tick_finding
from smurf_core.runs.workspace import Workspace
from tests.studio import figure, result_of, text
from tests.surfaces import said_by_command, said_in_html

# The demo's study and first run, of fewer utterances.
SMALL = {"samples": 240, "persons": 24, "seed": 2024}


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "simulated_affect", lambda **_: simulated_affect(**SMALL))
        patch.setattr(demo, "_MODELS", ("exclusive",))
        ensure_demo(Workspace(home))
    worker.work(Workspace(home))
    return home


@pytest.fixture
def space(demo_home, copied_home) -> Workspace:
    return copied_home(demo_home)


@pytest.fixture(scope="module")
def found(demo_home):
    home = Workspace(demo_home)
    (run,) = store.list_runs(home)
    result, data = result_of(home, run), studies.load_study(home, run.study_id)
    return run, result, data, find({run.id: result}, {run.id: "run"}, data, reference=run.id)


def spoken(page) -> str:
    return text(page).replace("\\", "")


def numbers(sentence: str) -> list[float]:
    """The numbers of a sentence that are estimates: not those in names such as R²."""
    return [float(n.replace("−", "-")) for n in re.findall(r"−?\d+(?:\.\d+)?", sentence)]


def test_every_number_is_one_of_the_tables(found):
    _, result, data, evaluated = found
    shown = explained(result, data)
    said, tables = account(result, shown), tables_of_run(result, shown)
    by_name = {finding.name: finding for finding in findings_first(evaluated)}
    assert list(by_name) == ["prediction", "leader", "sharing", "witness", "people"]
    assert len(by_name) <= MOST
    gate = tables["gate"].iloc[0]
    row = by_name["prediction"].numbers[0]
    assert (row.value, row.low, row.high) == (gate["value"], gate["ci_low"], gate["ci_high"])
    wanted = [gate["value"], gate["ci_low"], gate["ci_high"], gate["chance"]]
    assert numbers(by_name["prediction"].sentence) == pytest.approx(wanted, abs=0.0051)
    totals = tables["variance_totals"].set_index(["modality", "kind"])
    for number in by_name["leader"].numbers:
        expected = totals.loc[(number.what, "both"), ["share", "ci_low", "ci_high"]]
        assert [number.value, number.low, number.high] == pytest.approx(list(expected))
    assert by_name["leader"].sentence == said.sentences[0]
    assert by_name["sharing"].sentence.endswith(said.said["shared"])
    sharing = tables["sharing"]
    assert [n.value for n in by_name["sharing"].numbers] == list(sharing["agreement"])
    assert [n.is_good for n in by_name["sharing"].numbers] == list(sharing["is_there"])
    common = tables["commonality_totals"]
    common = common[(common["modality"] == "") & (common["kind"] == "common")].iloc[0]
    assert by_name["witness"].numbers[0].value == pytest.approx(common["share"])
    for name in ("share", "share_low", "share_high"):
        assert f"{100 * common[name]:.0f}" in by_name["witness"].sentence
    people = tables["human_judgments"].set_index("modality")
    for number in by_name["people"].numbers:
        row = people.loc[number.what]
        assert number.value == row["r_calibrated"]
        agrees = row["verdict"] in GOOD and row["ci_low_calibrated"] > 0
        assert number.is_good == (agrees and row["p_calibrated_holm"] < 0.05)
        assert (f"{number.what} (r = {plain(number.value, 2)}" in by_name["people"].sentence) == (
            number.is_good
        )
    assert all(finding.belief for finding in by_name.values())


def test_page_report_and_command_say_the_same(
    found, demo_home, shared_home, open_page, monkeypatch
):
    run, _, _, evaluated = found
    space = shared_home(demo_home)
    monkeypatch.setenv("BROWSER_PATH", "/nonexistent")  # Images take time.
    findings = findings_first(evaluated)
    page, shown = open_page("findings"), said_by_command("show", run.id)
    assert page.title[0].value == "What did this run find?"
    assert "This data is simulated" in spoken(page)
    files = report_of(space, run, extensions=[figure_files])
    html = said_in_html(files["report.html"].decode()).replace("&gt;", ">")
    latex = files["tables/tables.tex"].decode().replace("{-}", "-").replace("$-$", "−")
    places = []
    for finding in findings:
        assert f"**{finding.sentence}**" in spoken(page)
        assert finding.counted in spoken(page)
        for reason in finding.belief:
            assert reason in spoken(page)
        drawn = figure(page, f"figure_{finding.name}")["data"][0]
        assert drawn["customdata"] == [n.text(finding.unit) for n in finding.numbers]
        assert f"{finding.question} {finding.sentence}" in shown
        places.append(html.index(finding.sentence))
        assert finding.sentence.replace("%", r"\%").replace("²", r"$^2$") in latex
    assert places == sorted(places)
    assert places[-1] < html.index("In words")
    assert latex.index("section*{Findings}") < latex.index("section*{In words}")
    assert shown.index(findings[0].sentence) < shown.index("seed")
    written = pd.read_csv(pd.io.common.BytesIO(files["tables/findings.csv"]))
    every = [number.value for finding in findings for number in finding.numbers]
    np.testing.assert_allclose(written["value"], every)


def test_a_finding_is_edited_marked_and_left_out(found, space, open_page, monkeypatch):
    run, *_, evaluated = found
    monkeypatch.setenv("BROWSER_PATH", "/nonexistent")
    first, second, *_ = findings_first(evaluated)
    page = open_page("findings")
    page.text_area(key=f"words_{run.id}_{first.name}").set_value("The words *matter*.").run()
    page.button(key=f"save_{run.id}_{first.name}").click().run()
    assert not page.exception
    page.checkbox(key=f"tick_{run.id}_{second.name}").uncheck().run()
    again = spoken(open_page("findings"))  # Another session.
    assert "**The words *matter*.**" in again
    assert f"Edited by hand] The computed sentence: {first.sentence}" in again
    files = report_of(space, run, extensions=[figure_files])
    html = said_in_html(files["report.html"].decode())
    head, rest = html.split("In words", 1)
    assert "The words *matter*." in head
    assert f"Edited by hand. The computed sentence: {first.sentence}" in head
    assert second.sentence not in head
    assert second.sentence in rest
    assert "The words *matter*. (Edited by hand." in said_by_command("show", run.id)
    edit_finding(space, run.id, first, "")
    tick_finding(space, run.id, second.name, in_report=True)
    assert read_wording(space, run.id).edited == {}
    assert read_wording(space, run.id).left_out == frozenset()


def test_words_for_an_earlier_sentence_are_not_shown_as_a_finding(found, space, open_page):
    run, *_, evaluated = found
    first = findings_first(evaluated)[0]
    path = space.run_folder(run.id) / "findings.json"
    path.write_text('{"edited": {"prediction": ["Before.", "Old words."]}, "left_out": []}')
    shown = spoken(open_page("findings"))
    assert f"**{first.sentence}**" in shown
    assert "for another sentence and are not shown: Old words." in shown
    path.write_text("[]")
    page = open_page("findings")
    assert "delete it to return to the computed sentences" in page.error[0].value.replace("\\", "")
