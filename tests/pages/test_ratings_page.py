"""Ratings: from a design to judgments, with simulated raters and with people's links."""

import io
import re
import zipfile
from dataclasses import replace

import pandas as pd
import pytest
import requests

from app.state.navigation import page_path
from smurf_core.data.generated.simulated import simulated_affect, write_clips
from smurf_core.data.media import MediaSettings
from smurf_core.processes import rater_server
from smurf_core.ratings.agreement import agreement_table
from smurf_core.ratings.catalogue import create_collection, list_collections, open_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import design_text, parse_design
from smurf_core.ratings.simulate import RaterTraits, simulate_raters
from smurf_core.ratings.tables import answer_table
from smurf_core.reporting.numbers import plain
from smurf_core.runs.studies import add_study, load_study, set_media
from tests.studio import opened_tab, plain_text


@pytest.fixture
def heard(home) -> str:
    """A simulated study of sixty samples, eight with clips, and without judgments."""
    affect = simulated_affect(samples=60, persons=10)
    affect = replace(affect, judgments={}, ratings={}, informativeness={})
    study = add_study(home, affect)
    write_clips(affect, home.root / "clips")
    for path in sorted((home.root / "clips").iterdir())[8:]:
        path.unlink()
    set_media(home, study, MediaSettings(str(home.root / "clips")))
    return study


@pytest.fixture
def rated(home, heard) -> str:
    """The same with ratings by simulated raters, one of whom is careless; the collection's id."""
    dataset = load_study(home, heard)
    design = replace(
        default_design(dataset, forms=("words", "voice", "filtered_voice")),
        raters_per_cell=2, clips_per_rater=20, attention=2,
    )  # fmt: skip
    made = create_collection(
        home, heard, design, clips=dataset.sample_ids[:20].tolist(), is_simulated=True
    )
    simulate_raters(made, dataset, RaterTraits(careless=0.2), seed=3)
    return made.id


def click(page, label):
    next(b for b in page.button if b.label == label).click()
    page.run()
    assert not page.exception
    return page


def test_a_study_that_cannot_be_heard_shows_why(open_page, home):
    page = open_page("ratings")
    assert re.search("No modality of .* can be seen, heard or read", plain_text(page))
    assert not page.error


def test_a_collection_begins_with_a_design_and_links(open_page, home, heard):
    page = open_page("ratings", study=heard)
    assert "No ratings are collected" in plain_text(page)
    next(t for t in page.text_input if t.label.startswith("Title")).set_value("My clips").run()
    next(n for n in page.number_input if n.label == "Clips per rater").set_value(5).run()
    conditions = next(m for m in page.multiselect if m.label.startswith("Conditions"))
    conditions.set_value(["text", "audio"]).run()
    practice = next(m for m in page.multiselect if m.label == "Practice clips")
    shown_first = load_study(home, heard).sample_ids[0]
    practice.set_value([shown_first]).run()
    assert not page.exception
    click(page, "Begin a collection")
    (info,) = list_collections(home, heard)
    made = open_collection(home, heard, info.id)
    design = made.design_version().design
    assert (design.title, design.clips_per_rater) == ("My clips", 5)
    assert design.practice == (shown_first,)
    assert [c.form for c in design.conditions] == ["words", "filtered_voice"]
    assert len(list((home.study_folder(heard) / "stimuli").iterdir())) == 8
    assert "0 of 42 ratings by 0 raters" in plain_text(page)
    assert "52 clips were left out" in plain_text(page)
    left_out = next(d.value for d in page.dataframe if "Why" in d.value)
    assert left_out["Why"].str.endswith("has no recording.").all()

    opened_tab(page, "ratings_tab", "Raters")
    next(n for n in page.number_input if n.label == "Port").set_value(8622).run()
    try:
        click(page, "Start the page")
        assert "Raters reach their page at http://127.0.0.1:8622" in plain_text(page)
        next(n for n in page.number_input if n.label == "Raters to invite").set_value(2).run()
        click(page, "Make links")
        links = next(d.value for d in page.dataframe if "Link" in d.value)["Link"]
        for link in links:
            assert requests.get(link, timeout=30).status_code == 200
        assert requests.get(links[0][:-1], timeout=30).status_code == 404
        click(page, "Stop")
    finally:
        rater_server.stop(home)
    assert rater_server.running(home) is None
    click(page, "Close the collection")
    assert not made.is_open
    assert "The collection is closed." in plain_text(page)


def test_a_design_from_a_file_is_used_and_a_change_is_a_new_version(open_page, home, heard):
    page = open_page("ratings", study=heard)
    design = default_design(load_study(home, heard), language="de", forms=("words", "voice"))
    changed = replace(design, title="Aus der Datei", filter_hz=500.0)
    upload = page.file_uploader(key=f"upload_{heard}")
    upload.upload("design.yaml", design_text(changed).encode()).run()
    assert not page.exception
    click(page, "Begin a collection")
    (info,) = list_collections(home, heard)
    made = open_collection(home, heard, info.id)
    assert made.design_version().design == changed
    made.consent(made.invite().token)
    next(n for n in page.number_input if n.label.startswith("Raters per")).set_value(5).run()
    click(page, "Change this collection")
    newest = made.design_version()
    assert (newest.number, newest.design.raters_per_cell) == (2, 5)
    assert parse_design(design_text(newest.design)) == newest.design


def test_questions_are_edited_added_and_removed_in_the_form(open_page, home, heard):
    page = open_page("ratings", study=heard)

    def set_in(kind, label, value):
        next(w for w in getattr(page, kind) if w.label.startswith(label)).set_value(value)
        page.run()
        assert not page.exception

    asked = next(m for m in page.multiselect if m.label.startswith("Conditions"))
    asked.set_value(["audio_and_text"]).run()
    set_in("selectbox", "Kind", "sam")
    assert [s.value for s in page.selectbox if s.label == "Pictures"] == [9]
    set_in("selectbox", "Pictures", 5)
    page.button_group(key=next(
        w.key for w in page.get("button_group") if w.key.startswith("q_dimension")
    )).set_value("arousal").run()  # fmt: skip
    set_in("text_input", "Label of the lowest", "calm")
    set_in("text_input", "Label of the highest", "excited")
    click(page, "Add a question")
    kinds = [s for s in page.selectbox if s.label == "Kind"]
    assert len(kinds) == 3  # with the one on informativeness
    kinds[2].set_value("continuous").run()
    names = [t for t in page.text_input if t.label.startswith("Name")]
    names[2].set_value("2 words").run()
    assert "cannot name a scale" in plain_text(page)
    assert not [b for b in page.button if b.label == "Begin a collection"]
    names = [t for t in page.text_input if t.label.startswith("Name")]
    names[2].set_value("lively").run()
    click(page, "Begin a collection")
    (info,) = list_collections(home, heard)
    design = open_collection(home, heard, info.id).design_version().design
    first, _, second = design.scales
    assert (first.kind, first.steps, first.dimension) == ("sam", 5, "arousal")
    assert first.labels == ("calm", "excited")
    assert (second.name, second.kind) == ("lively", "continuous")
    assert second.conditions == ("audio_and_text",)
    click(page, "Remove this question")
    click(page, "Change this collection")
    newest = open_collection(home, heard, info.id).design_version().design
    assert [scale.name for scale in newest.scales] == ["informative", "lively"]


def test_ratings_are_watched_used_and_exported(open_page, home, heard, rated):
    collection = open_collection(home, heard, rated)
    page = open_page("ratings", study=heard)
    assert "120 of 120 ratings by 6 simulated raters" in plain_text(page)
    opened_tab(page, "ratings_tab", "Watch")
    shown = next(d.value for d in page.dataframe if "ICC(2,k)" in d.value)
    design = collection.design_version().design
    found = agreement_table(design, answer_table(collection), draws=200)
    assert len(shown) == len(found)
    for text, row in zip(shown["ICC(2,k)"], found.itertuples(), strict=True):
        assert text.split(" ")[0] == plain(row.icc, 2)
    marks = [w.value for w in page.warning]
    assert any(
        re.search(r"Rater \d+: .*equal answers in a row", m.replace("\\", "")) for m in marks
    )
    click(page, "Exclude")
    assert "Say why the rater is excluded" in plain_text(page)
    page.text_input(key=f"why_{rated}").set_value("gave one answer").run()
    click(page, "Exclude")
    assert "was excluded: gave one answer" in plain_text(page)
    assert answer_table(collection)["excluded"].any()

    opened_tab(page, "ratings_tab", "Use and export")
    assert "simulated raters, which a program made" in plain_text(page)
    none = "This study has no human judgments"
    assert none in plain_text(open_page("judgments", study=heard))
    click(page, "Use as the study's judgments")
    assert len(load_study(home, heard).judgments) == 3
    assert none not in plain_text(open_page("judgments", study=heard))
    from app.sections.ratings.use import _archive

    archive = zipfile.ZipFile(io.BytesIO(_archive(collection, "csv", "ratings")))
    table = pd.read_csv(archive.open("ratings/ratings.csv"))
    assert len(table) == len(answer_table(collection))
    assert set(table["origin"]) == {"simulated"}
    click(page, "Stop using ratings")
    assert not load_study(home, heard).judgments
    assert none in plain_text(open_page("judgments", study=heard))


def test_sizes_are_compared_and_the_smallest_is_named(open_page, heard):
    page = open_page("ratings", study=heard)
    opened_tab(page, "ratings_tab", "How many?")
    next(t for t in page.text_input if t.label == "Clips").set_value("20 200")
    next(t for t in page.text_input if t.label.startswith("Raters per")).set_value("1")
    next(n for n in page.number_input if n.label == "Wanted power").set_value(0.6)
    click(page, "Simulate")
    table = next(d.value for d in page.dataframe if "Power" in d.value)
    assert table["Clips"].tolist() == [20, 200]
    assert float(table["Power"][0]) < float(table["Power"][1])
    said = plain_text(page)
    assert "200 clips with 1 rater per clip" in said or "None of these sizes" in said
    shares = next(d.value for d in page.dataframe if "Unique share" in d.value)
    assert shares["Unique share"].iloc[0] == "2%"
    assert float(shares["Power"].iloc[0]) < float(shares["Power"].iloc[-1])
    assert "200 clips with 1 rater per clip and condition find a unique share of" in said
    next(t for t in page.text_input if t.label == "Clips").set_value("many")
    click(page, "Simulate")
    assert "Clips: write whole numbers" in plain_text(page)


def test_human_judgments_without_judgments_lead_here(open_page, heard):
    page = open_page("judgments", study=heard)
    assert page.get("page_link")
    assert page_path("ratings").endswith("ratings.py")
