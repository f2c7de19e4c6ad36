"""Agreement of raters and signs of careless rating, on simulated raters whose traits are known."""

from dataclasses import replace

import krippendorff
import numpy as np
import pytest

from smurf_core.data.generated.synthetic import redundant_factor, unique_factor
from smurf_core.errors import InputError
from smurf_core.ratings.agreement import FEWEST_CLIPS, agreement_table, counted, rating_matrix
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Scale
from smurf_core.ratings.quality import rater_quality
from smurf_core.ratings.simulate import RaterTraits, perceived, simulate_raters
from smurf_core.ratings.tables import answer_table, progress_table, rater_table
from smurf_core.runs.studies import add_study
from smurf_core.runs.workspace import Workspace


@pytest.fixture(scope="module")
def many_scales(affect):
    design = default_design(affect)
    return replace(
        design,
        scales=(
            *design.scales,
            Scale("sam", "sam", "Q", low=-3, high=3, steps=5, labels=("a", "b")),
            Scale("feeling", "categories", "Q", labels=("bad", "so", "good"), intensity=True),
        ),
        clips_per_rater=20, repeats=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def rated(tmp_path_factory, affect, many_scales):
    workspace = Workspace(tmp_path_factory.mktemp("rated"))
    made = create_collection(
        workspace, add_study(workspace, affect), many_scales,
        clips=affect.sample_ids[:20].tolist(), is_simulated=True,
    )  # fmt: skip
    assert simulate_raters(made, affect, seed=1) == 12
    return made


def test_alpha_of_every_scale_equals_the_krippendorff_package(rated, many_scales):
    answers = answer_table(rated)
    table = agreement_table(many_scales, answers, draws=50)
    assert set(table["measure"]) == {"nominal", "ordinal", "interval"}
    assert len(table) == 4 * 4 + 3  # informativeness is asked with everything only
    for row in table.itertuples():
        _, clips, ratings = rating_matrix(counted(answers), row.key, row.condition)
        assert (row.clips, row.ratings, row.per_clip) == (20, 60, 3.0)
        expected = krippendorff.alpha(ratings, level_of_measurement=row.measure)
        assert row.alpha == pytest.approx(expected, abs=1e-9)
        assert row.alpha_low < row.alpha < row.alpha_high
        assert np.isnan(row.icc) == (row.measure == "nominal")
        assert len(clips) == 20


def test_agreement_follows_the_noise_of_raters(home, study, affect, design):
    found = {}
    for noise in (0.1, 2.0):
        more = replace(
            design, clips_per_rater=15, raters_per_cell=2, attention=0, repeats=0, practice=()
        )
        made = create_collection(
            home, study, more, clips=affect.sample_ids[:15].tolist(), is_simulated=True
        )
        traits = RaterTraits(bias=0, scale_use=0, noise=noise, fatigue=0, lag=0)
        simulate_raters(made, affect, traits)
        table = agreement_table(more, answer_table(made), draws=20)
        found[noise] = table[table["key"] == "rating"]["icc"]
    assert found[0.1].min() > 0.95
    assert found[2.0].max() < 0.7


def test_too_few_ratings_give_no_agreement(rated, many_scales):
    one = answer_table(rated).query("rater == 1")
    table = agreement_table(many_scales, one)
    assert table[["alpha", "icc"]].isna().all(axis=None)
    assert len(agreement_table(many_scales, one.head(0))) == len(table)


def test_agreement_of_few_clips_is_not_named(rated, many_scales):
    answers = answer_table(rated)
    few = np.unique(answers["clip"])[: FEWEST_CLIPS - 1]
    table = agreement_table(many_scales, answers[answers["clip"].isin(few)], draws=50)
    assert (table["shared"] < FEWEST_CLIPS).all()
    assert table[["alpha", "alpha_low", "icc", "icc_low"]].isna().all(axis=None)


def test_persons_are_drawn_where_they_are_known(rated, many_scales, affect):
    persons = dict(zip(affect.sample_ids.tolist(), affect.persons.tolist(), strict=True))
    answers = answer_table(rated)
    wide = agreement_table(many_scales, answers, persons=persons, draws=50)
    assert (wide["alpha_low"] != agreement_table(many_scales, answers, draws=50)["alpha_low"]).any()


def test_simulated_raters_perceive_what_a_condition_shows(affect):
    names = [unique_factor("text")] + [
        redundant_factor(a, b) for a, b in (("audio", "text"), ("text", "vision"))
    ]
    expected = sum(affect.factors[name].astype(float) for name in names)
    np.testing.assert_allclose(perceived(affect, ("text",)), expected, atol=1e-6)


def test_simulated_raters_are_reproducible_and_complete_the_plan(home, study, design, affect):
    tables = []
    for _ in range(2):
        made = create_collection(
            home, study, design, clips=affect.sample_ids[:10].tolist(), is_simulated=True
        )
        simulate_raters(made, affect, seed=4)
        assert (progress_table(made)["rated"] == 1).all()
        assert set(rater_table(made)["status"]) == {"finished"}
        tables.append(answer_table(made).drop(columns="saved"))
    assert tables[0].equals(tables[1])


def test_simulated_raters_never_answer_for_people(collection, affect):
    with pytest.raises(InputError, match="This collection is for people"):
        simulate_raters(collection, affect)
    with pytest.raises(InputError, match="is not simulated"):
        simulate_raters(collection, replace(affect, factors={}))
    with pytest.raises(InputError, match="lag is 2; it must be from 0 to 1"):
        RaterTraits(lag=2.0)


def test_careless_raters_are_marked_and_others_are_not(home, study, design, affect):
    more = replace(design, clips_per_rater=20, raters_per_cell=3, attention=2, repeats=4)
    made = create_collection(
        home, study, more, clips=affect.sample_ids[:20].tolist(), is_simulated=True
    )
    simulate_raters(made, affect, RaterTraits(noise=0.3, fatigue=0), raters=10, seed=2)
    simulate_raters(made, affect, RaterTraits(careless=1.0), raters=1, seed=9)
    table = rater_quality(more, answer_table(made)).set_index("rater")
    assert (table.loc[:10, "marks"] == "").sum() >= 9
    assert (table.loc[:10, "agreement"] > 0.3).mean() > 0.7
    assert (table.loc[:10, "repeat_difference"] < 0.2).all()
    marks = table.loc[11, "marks"]
    assert "20 equal answers in a row" in marks
    assert "answers spread 0.00 times as far as usual" in marks
    assert "of the usual time" in marks
    assert table.loc[11, "attention_asked"] == 2
    made.exclude(11, "marked")
    assert rater_quality(more, answer_table(made)).set_index("rater").loc[11, "excluded"]


def test_a_rater_who_drifts_is_marked(rated, many_scales):
    answers = answer_table(rated)
    drifting = (answers["rater"] == 3) & (answers["key"] == "rating")
    places = answers.loc[drifting, "position"]
    answers.loc[drifting, "value"] += 4 * (places / places.max() - 0.5)
    table = rater_quality(many_scales, answers).set_index("rater")
    assert "drifts by +" in table.loc[3, "marks"]
    assert table.loc[3, "drift"] > 0.3
    assert not table["marks"].drop(3).str.contains("drifts").any()


def test_failed_checks_and_repeats_are_counted(rated, many_scales):
    answers = answer_table(rated)
    checks = (answers["rater"] == 5) & (answers["kind"] == "attention")
    answers.loc[checks, "value"] = 0.0  # asked for were −3 or 3
    again = (answers["rater"] == 6) & (answers["kind"] == "repeat") & (answers["key"] == "rating")
    answers.loc[again, "value"] += 3.0
    table = rater_quality(many_scales, answers).set_index("rater")
    assert "failed 1 of 1 checks" in table.loc[5, "marks"]
    assert "repeats differ by" in table.loc[6, "marks"]
    assert table.loc[6, "repeats"] == 1
    assert (table["attention_failed"].drop(5) == 0).all()
