"""`smurf ratings` from the design to the study's judgments, as its users call it."""

from dataclasses import replace

import pytest

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.ratings.catalogue import collection_of, list_collections
from smurf_core.ratings.design import ClipChoice, read_design, write_design
from smurf_core.runs.slices import add_slice
from smurf_core.runs.studies import add_study, load_study


@pytest.fixture
def study(workspace):
    return add_study(workspace, simulated_affect(samples=60, persons=10))


@pytest.fixture
def file(smurf, workspace, study, tmp_path):
    """A small design of twelve clips, written by the command and changed as a user would."""
    path = tmp_path / "design.yaml"
    ended = smurf("ratings", "design", study, "--output", path)
    assert (ended.code, ended.out.strip().endswith("4 conditions, 2 scales")) == (0, True)
    chosen = load_study(workspace, study).sample_ids[:12].tolist()
    slice_id = add_slice(workspace, study, "twelve", chosen, origin="a test")
    small = replace(
        read_design(path), clips=ClipChoice("slice", slice=slice_id), raters_per_cell=2, repeats=0
    )
    write_design(small, path)
    return path


def test_a_design_is_written_once_in_a_language_that_exists(smurf, study, file):
    assert "exists; name another file" in smurf("ratings", "design", study, "--output", file).error
    german = file.with_name("german.yaml")
    assert smurf("ratings", "design", study, "--output", german, "--language", "de").code == 0
    assert "freiwillig" in read_design(german).consent
    assert smurf("ratings", "design", study, "--language", "xx").code == 2


def test_raters_are_invited_and_their_tokens_are_links(smurf, workspace, study, file):
    ended = smurf("ratings", "assign", study, file)
    assert ended.code == 0
    assert "12 clips, 4 conditions, 2 raters per clip and condition, 8 raters" in ended.out
    tokens = [line.split(": ")[1] for line in ended.out.splitlines() if line.startswith("rater")]
    assert len(set(tokens)) == 8
    assert collection_of(workspace, tokens[3]).consent(tokens[3]).total == 13
    (info,) = list_collections(workspace, study)
    more = smurf("ratings", "assign", study, info.id, "--raters", 2)
    assert more.out.count("rater 9: ") == more.out.count("rater 10: ") == 1
    none = smurf("ratings", "assign", study, "last")
    assert (none.code, "needs no further rater" in none.error) == (2, True)
    assert "0 of 96" in smurf("ratings", "status", study).out


def test_simulated_ratings_are_watched_used_and_exported(smurf, workspace, study, file, tmp_path):
    assert "8 simulated raters" in smurf("ratings", "simulate", study, file).out
    listed = smurf("ratings", "status", study).out
    assert "96 of 96" in listed
    assert "simulated raters" in listed
    shown = smurf("ratings", "status", study, "last").out
    for part in ("by 8 raters, simulated", "icc_low", "alpha_high", "audio_and_text"):
        assert part in shown
    before = load_study(workspace, study).judgments
    used = smurf("ratings", "use", study).out
    assert "simulated raters, which a program made" in used
    assert "audio, text: 12 samples by 8 raters" in used
    both = frozenset({"audio", "text"})
    assert load_study(workspace, study).judgments[both].sum() != before[both].sum()
    assert "of its files again" in smurf("ratings", "use", study, "--stop").out
    folder = tmp_path / "out"
    written = smurf("ratings", "export", study, "last", "--folder", folder)
    assert (folder / "ratings.csv").exists()
    assert str(folder / "analysis.R") in written.out.replace("\n", "")


def test_bad_input_is_one_sentence(smurf, study, file):
    for arguments, sentence in (
        (("status", study, "nothing"), "There is no collection 'nothing'"),
        (("use", study), "There is no collection 'last'"),
        (("status", "nobody", "last"), "There is no study 'nobody'"),
        (("assign", study, file.with_name("none.yaml")), "cannot be opened"),
        (("simulate", "synthetic"), "There is no study 'synthetic'"),
        (
            ("power", "--share", "0.1", "--wanted-width", "0.3"),
            "--share asks with which power unique shares are found: leave out --unique",
        ),
        (("power", "--icc", "2"), "icc is 2; it must be from 0.01 to 1"),
    ):
        ended = smurf("ratings", *arguments)
        assert ended.code == 2
        assert sentence in ended.error
        assert ended.error.count("\n") == 1


def test_power_is_a_table(smurf):
    ended = smurf(
        "ratings", "power", "--clips", 24, "--clips", 48, "--raters", 2, "--persons", 8,
        "--draws", 20, "--wanted-power", 0.01,
    )  # fmt: skip
    assert ended.code == 0
    for part in ("ceiling", "width", "hours_per_rater", "24", "48"):
        assert part in ended.out
    assert "24 clips of 8 persons, raters per clip and condition: 2, raters in all: 8" in ended.out


def test_power_names_the_smallest_share_that_is_found(smurf):
    ended = smurf(
        "ratings", "power", "--clips", 60, "--raters", 3, "--persons", 12, "--share", 0.05,
        "--share", 0.625, "--draws", 30, "--wanted-power", 0.5,
    )  # fmt: skip
    assert ended.code == 0
    assert "a unique share of 62.5% or more is found with a power of 0.5" in ended.out
