"""Ratings as the study's judgments, and as files whose numbers R computes again."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.errors import InputError
from smurf_core.evaluation.informativeness import informativeness_tests
from smurf_core.evaluation.judgments import human_agreement, unique_pairs
from smurf_core.explained import explained
from smurf_core.ratings.catalogue import create_collection, delete_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Condition, read_design
from smurf_core.ratings.export import export_ratings
from smurf_core.ratings.simulate import simulate_raters
from smurf_core.ratings.tables import answer_table
from smurf_core.ratings.use import (
    collected,
    comparable_answers,
    stop_using,
    update_used,
    use_ratings,
    used_collection,
    used_stamp,
)
from smurf_core.runs.studies import add_study, load_study
from smurf_core.runs.workspace import Workspace
from tests.smurf_core.trained import small_run


@pytest.fixture(scope="module")
def plain():
    """A study whose files have no judgments."""
    whole = simulated_affect(samples=60, persons=10)
    return replace(whole, judgments={}, ratings={}, informativeness={})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(tmp_path_factory.mktemp("use"))


@pytest.fixture(scope="module")
def rated(workspace, plain):
    design = replace(default_design(plain), raters_per_cell=2, repeats=1, practice=("p10_u0060",))
    made = create_collection(
        workspace, add_study(workspace, plain), design,
        clips=plain.sample_ids[:30].tolist(), is_simulated=True,
    )  # fmt: skip
    simulate_raters(made, plain)
    return made


def of_rating(collection):
    table = answer_table(collection)
    return table[(table["key"] == "rating") & (table["kind"] == "clip") & ~table["excluded"]]


def test_judgments_are_means_and_ratings_are_those_of_each_rater(rated, plain):
    found = collected(rated, plain)
    assert set(found.judgments) == {
        frozenset(c.modalities) for c in rated.design_version().design.conditions
    }
    own = of_rating(rated).query("condition == 'audio_and_text'")
    mean = own.groupby("clip")["value"].mean().reindex(plain.sample_ids)
    shown = frozenset({"audio", "text"})
    np.testing.assert_allclose(found.judgments[shown], mean.to_numpy(), rtol=1e-6)
    given = found.ratings[shown]
    assert given.shape == (own["rater"].nunique(), 60)
    assert np.isfinite(given).sum() == len(own) == 60
    assert "simulated raters, which a program made" in found.note
    assert "audio, text: 30 samples by 8 raters" in found.sentence


def test_informativeness_is_the_lower_median_of_the_raters(rated, plain):
    found = collected(rated, plain).informativeness
    assert set(found) == {"audio", "text", "vision"}
    table = answer_table(rated).query("kind == 'clip' and key == 'informative/text'")
    for clip, own in table.groupby("clip"):
        at = int(plain.positions(np.array([clip]))[0])
        assert found["text"][at] == np.sort(own["value"])[(len(own) - 1) // 2]
    assert (found["text"][30:] == -1).all()


def test_a_study_has_the_ratings_until_they_are_not_used(workspace, rated, plain):
    study = rated.fact("study")
    assert used_stamp(workspace, study) is None
    found = use_ratings(workspace, rated)
    dataset = load_study(workspace, study)
    for shown, rating in found.judgments.items():
        np.testing.assert_array_equal(dataset.judgments[shown], rating)
        np.testing.assert_array_equal(dataset.ratings[shown], found.ratings[shown])
    assert dataset.fingerprint == plain.fingerprint  # so that runs stay valid
    assert dataset.notes[-1] == found.note
    first = used_stamp(workspace, study)
    use_ratings(workspace, rated)
    assert load_study(workspace, study).notes.count(found.note) == 1
    assert used_stamp(workspace, study) != first
    stop_using(workspace, study)
    assert not load_study(workspace, study).judgments
    assert used_stamp(workspace, study) is None


def test_judgments_follow_the_ratings_that_come_in(tmp_path, plain, rated):
    other = Workspace(tmp_path)
    study = add_study(other, plain)
    design = replace(rated.design_version().design, repeats=0, practice=())
    made = create_collection(
        other, study, design, clips=plain.sample_ids[:12].tolist(), is_simulated=True
    )
    assert used_collection(other, study) is None
    assert not update_used(other, study)
    simulate_raters(made, plain, raters=2)
    first = use_ratings(other, made, conditions=["audio_and_text"])
    assert used_collection(other, study).id == made.id
    assert not update_used(other, study)  # Nothing has come in since.
    simulate_raters(made, plain)
    assert update_used(other, study)
    shown = frozenset({"audio", "text"})
    now = load_study(other, study)
    expected = collected(made, plain, conditions=["audio_and_text"])
    assert set(now.judgments) == {shown}  # the condition that was chosen, and no other
    np.testing.assert_array_equal(now.judgments[shown], expected.judgments[shown])
    assert np.isfinite(now.ratings[shown]).sum() > np.isfinite(first.ratings[shown]).sum()
    made.exclude(1, "of another study")
    assert update_used(other, study)
    delete_collection(other, study, made.id)
    assert used_collection(other, study) is None
    assert not update_used(other, study)
    assert load_study(other, study).judgments  # what was used stays, until it is stopped


def test_judgments_of_other_modalities_stay(tmp_path, rated):
    whole = simulated_affect(samples=60, persons=10)
    other = Workspace(tmp_path)
    study = add_study(other, whole)
    made = create_collection(
        other, study, rated.design_version().design, clips=["p01_u0001"], is_simulated=True
    )
    simulate_raters(made, whole)
    found = use_ratings(other, made)
    dataset = load_study(other, study)
    assert set(dataset.judgments) == set(whole.judgments)
    alone, both = frozenset({"audio"}), frozenset({"audio", "text"})
    np.testing.assert_array_equal(dataset.judgments[alone], whole.judgments[alone])
    np.testing.assert_array_equal(dataset.judgments[both], found.judgments[both])
    (other.study_folder(study) / "judgments.parquet").write_bytes(b"torn")
    with pytest.raises(InputError, match="cannot be read"):
        load_study(other, study)


def test_agreement_with_people_is_computed_from_collected_ratings(rated):
    # Modalities of a small run take the places of those that were rated.
    result, dataset = small_run("smurf")
    names = dict(zip(("audio", "text", "vision"), dataset.modalities, strict=True))
    whole = simulated_affect(samples=60, persons=10)
    found = collected(rated, whole)

    def fitted(values):
        missing = -1 if values.dtype.kind == "i" else np.nan
        padded = np.full((*values.shape[:-1], len(dataset)), missing, dtype=values.dtype)
        padded[..., :60] = values
        return padded

    judged = replace(
        dataset,
        judgments={frozenset(names[m] for m in s): fitted(v) for s, v in found.judgments.items()},
        ratings={frozenset(names[m] for m in s): fitted(v) for s, v in found.ratings.items()},
        informativeness={names[m]: fitted(v) for m, v in found.informativeness.items()},
    )
    table = human_agreement(explained(result, judged))
    assert len(table) == 3
    for row, pair in zip(table.itertuples(), unique_pairs(explained(result, judged)), strict=True):
        mean = np.nanmean(pair.ratings[:, np.isfinite(pair.human)], axis=0)
        assert row.n == 30
        assert row.raters == 2
        learned = pair.learned[np.isfinite(pair.human)]
        target = explained(result, judged).target[np.isfinite(pair.human)]
        assert row.r == pytest.approx(np.corrcoef(learned, target - mean)[0, 1], abs=1e-6)
    tests = informativeness_tests(explained(result, judged))
    assert tests[["n_no", "n_relevant", "n_sufficient"]].sum(axis=1).tolist() == [30, 30, 30]


def test_two_conditions_with_the_same_modalities_need_a_choice(rated, plain):
    version = rated.design_version()
    design = version.design
    voice = Condition("filtered", "filtered_voice", ("audio", "text"))
    rated.revise(replace(design, conditions=(*design.conditions, voice)), version.clips)
    try:
        with pytest.raises(InputError, match="'audio_and_text' and 'filtered' both show audio"):
            collected(rated, plain)
        found = collected(rated, plain, conditions=["audio_and_text"])
        assert set(found.judgments) == {frozenset({"audio", "text"})}
        with pytest.raises(InputError, match="There is no condition 'nothing'"):
            collected(rated, plain, conditions=["nothing"])
        with pytest.raises(InputError, match="does not give"):
            collected(rated, plain, scale="informative", conditions=["everything"])
    finally:
        rated.revise(design, version.clips)


def test_answers_to_a_scale_that_changed_are_not_mixed(rated, plain):
    version = rated.design_version()
    design = version.design
    scales = (replace(design.scales[0], question="Another question?"), design.scales[1])
    rated.revise(replace(design, scales=scales), version.clips)
    try:
        assert set(comparable_answers(rated)["scale"]) == {"informative"}
        assert not collected(rated, plain).judgments
    finally:
        rated.revise(design, version.clips)
    assert set(comparable_answers(rated)["scale"]) == {"informative", "rating"}


def test_nothing_is_used_before_there_is_an_answer(collection, affect):
    with pytest.raises(InputError, match="Nothing has been rated yet"):
        collected(collection, affect)


def test_an_export_has_no_names_unless_they_are_asked_for(collection, tmp_path):
    invitation = collection.invite(name="Ada Lovelace", contact="ada@example.org")
    state = collection.consent(invitation.token)
    for position in range(state.total):
        item = collection.item(invitation.token, position)
        values = {field.key: field.high for field in item.fields}
        collection.save(invitation.token, position, item.clip, values)
    for format in ("csv", "parquet"):
        files = export_ratings(collection, tmp_path / format, format)
        assert not any(b"Ada" in path.read_bytes() for path in files)
    named = export_ratings(collection, tmp_path / "named", with_identities=True)
    assert "identities.csv" in {path.name for path in named}
    with pytest.raises(InputError, match="exists; name a new folder"):
        export_ratings(collection, tmp_path / "csv")
    with pytest.raises(InputError, match="No format 'doc'"):
        export_ratings(collection, tmp_path / "doc", "doc")


def test_an_export_describes_every_column_and_field(rated, tmp_path):
    files = {path.name for path in export_ratings(rated, tmp_path / "out")}
    assert {"ratings.csv", "codebook.csv", "design.yaml", "acts.csv", "raters.csv"} <= files
    ratings = pd.read_csv(tmp_path / "out" / "ratings.csv")
    codes = pd.read_csv(tmp_path / "out" / "codebook.csv")
    assert set(ratings.columns) | {f"key {k}" for k in ratings["key"]} <= set(codes["name"])
    for name in ("agreement", "raters", "acts"):  # Intervals stand with their number.
        columns = pd.read_csv(tmp_path / "out" / f"{name}.csv").columns
        described = {c.removesuffix("_low").removesuffix("_high") for c in columns}
        assert described <= set(codes["name"]), name
    assert set(ratings["origin"]) == {"simulated"}
    words = ratings[ratings["key"] == "informative/audio"]
    assert set(words["label"]) <= {"no", "relevant", "sufficient"}
    assert read_design(tmp_path / "out" / "design.yaml") == rated.design_version().design
    assert yaml.safe_load((tmp_path / "out" / "design.yaml").read_text())["scales"]
    as_parquet = export_ratings(rated, tmp_path / "two", "parquet")
    assert len(pd.read_parquet(tmp_path / "two" / "ratings.parquet")) == len(ratings)
    assert "analysis.R" not in {path.name for path in as_parquet}


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_computes_the_same_means_and_agreement(rated, tmp_path):
    folder = tmp_path / "out"
    export_ratings(rated, folder)
    subprocess.run(["Rscript", "analysis.R"], cwd=folder, check=True, capture_output=True)
    means = pd.read_csv(folder / "means.csv")
    own = of_rating(rated).groupby(["clip", "condition"])["value"].agg(["mean", "size"])
    found = means[means["key"] == "rating"].set_index(["clip", "condition"]).loc[own.index]
    np.testing.assert_allclose(found["mean"], own["mean"], rtol=1e-9)
    assert (found["raters"] == own["size"]).all()
    keys = ["condition", "key"]
    ours = pd.read_csv(folder / "agreement.csv").set_index(keys)[["icc_single", "icc"]]
    theirs = pd.read_csv(folder / "agreement_by_r.csv").set_index(keys)
    assert len(theirs) == 4 + 3
    np.testing.assert_allclose(ours.loc[theirs.index], theirs, rtol=1e-6)
