"""Designs of ratings: what they accept, how they are written, and which clips they choose."""

import re
from dataclasses import replace

import numpy as np
import pytest

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.explained import explained
from smurf_core.ratings.answers import answer_fields, checked_answer
from smurf_core.ratings.clips import chosen_clips, stratified_draw, stratum_score
from smurf_core.ratings.defaults import channel_of, default_design, shown_modalities
from smurf_core.ratings.design import (
    FORMS,
    ClipChoice,
    Condition,
    Scale,
    check_design,
    parse_design,
    read_design,
    write_design,
)
from smurf_core.ratings.interface import interface_texts, languages
from smurf_core.runs.slices import add_slice
from smurf_core.runs.studies import add_study
from tests.smurf_core.trained import small_run


@pytest.fixture(scope="module")
def affect():
    return simulated_affect(samples=60, persons=10)


@pytest.fixture(scope="module")
def design(affect):
    return default_design(affect)


def test_the_default_shows_all_but_one_and_all(affect, design):
    shown = {frozenset(c.modalities): c.form for c in design.conditions}
    assert shown == {
        frozenset({"audio", "text"}): "voice",
        frozenset({"text", "vision"}): "face_and_words",
        frozenset({"audio", "vision"}): "face_and_filtered_voice",
        frozenset({"audio", "text", "vision"}): "all",
    }
    rating = design.scale("rating")
    assert (rating.low, rating.high, rating.measures) == (-3.0, 3.0, "valence")
    check_design(design, affect, affect.sample_ids.tolist())


def test_each_form_shows_what_its_channels_say():
    for presentation in FORMS.values():
        assert ("face" in presentation.channels) == presentation.picture
        assert ("voice" in presentation.channels) == (presentation.sound != "none")
        assert ("words" in presentation.channels) == (
            presentation.words or presentation.sound == "full"
        )
    assert len({p.channels for p in FORMS.values()}) == len(FORMS) == 7  # every non-empty set


def test_channels_are_guessed_from_names():
    assert [channel_of(m) for m in ("acoustic", "Text_BERT", "openface", "ecg")] == [
        "voice", "words", "face", None,
    ]  # fmt: skip
    assert shown_modalities("voice", ("text", "audio", "ecg")) == ("text", "audio")
    with pytest.raises(InputError, match="can be seen, heard or read"):
        default_design(synthetic_additive(samples=20))


def test_a_design_is_read_back_from_its_file(design, tmp_path):
    path = tmp_path / "design.yaml"
    changed = replace(design, language="de", clips=ClipChoice("slice", slice="s1"))
    write_design(changed, path)
    assert read_design(path) == changed
    assert read_design(path).fingerprint == changed.fingerprint != design.fingerprint


def test_fields_with_a_default_may_be_left_out(design):
    short = """
title: T
consent: C
instructions: I
conditions: [{name: voice, form: voice, modalities: [audio]}]
scales: [{name: mood, kind: slider, question: Q, labels: [low, high]}]
"""
    found = parse_design(short)
    assert (found.raters_per_cell, found.clips.source, found.scales[0].high) == (3, "all", 1.0)


SHORT = """
title: T
consent: C
instructions: I
conditions: [{name: voice, form: voice, modalities: [audio]}]
scales: [{name: mood, kind: slider, question: Q, labels: [low, high]}]
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("form: voice", "form: smell", "form of item 1 of conditions must be words, voice"),
        ("title: T", "title: T\ntitle: U", "gives 'title' twice"),
        ("title: T", "title: ''", "has no title"),
        ("consent: C\n", "", "lacks 'consent'"),
        ("title: T", "titel: T\ntitle: T", "has no field 'titel'"),
        ("modalities: [audio]", "modalities: []", "must show at least one modality"),
        ("labels: [low, high]", "labels: [low]", "has 1 labels; a scale of kind slider needs 2"),
        ("labels: [low, high]", "labels: [a, b], low: 2", "goes from 2 to 1"),
        ("kind: slider", "kind: sam", "has 7 steps; a SAM scale has 5 or 9"),
        ("kind: slider", "kind: likert, steps: 1", "a Likert scale has 2 to 11"),
        ("labels: [low, high]", "labels: [a, a]", "labels that are empty or equal"),
        ("question: Q", "question: ' '", "has no question"),
        ("name: mood", "name: 'my mood'", "cannot name a scale"),
        ("labels: [low", "conditions: [face], labels: [low", "is asked in condition 'face'"),
        ("title: T", "title: T\nraters_per_cell: 0", "raters_per_cell is 0; it must be 1"),
        ("title: T", "title: T\nfilter_hz: 9", "between 50 and 2000 Hz"),
        ("title: T", "title: T\nlanguage: xx", "There is no language 'xx'"),
        ("title: T", "title: T\nclips: {source: slice}", "a slice was chosen and none is named"),
        ("title: T", "title: T\nclips: {source: stratified}", "a stratified draw needs a run"),
        ("title: T", "title: [", "is not a YAML file of settings (line"),
        ("title: T", "title: T\npractice: [a, a]", "Practice names sample 'a' twice"),
    ],
)
def test_an_error_is_one_clear_sentence(old, new, sentence):
    assert old in SHORT
    with pytest.raises(InputError, match=re.escape(sentence)) as error:
        parse_design(SHORT.replace(old, new, 1), "design.yaml")
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


def test_two_conditions_or_scales_cannot_have_one_name(design):
    with pytest.raises(InputError, match="has condition 'everything' twice"):
        replace(design, conditions=(*design.conditions, design.condition("everything")))
    with pytest.raises(InputError, match="has scale 'rating' twice"):
        replace(design, scales=(*design.scales, design.scale("rating")))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"conditions": (Condition("smell", "voice", ("nose",)),)}, "shows 'nose', which is not"),
        ({"practice": ("nobody",)}, "Practice names sample 'nobody'"),
        ({"practice": ("p01_u0001",)}, "is a practice item and also a clip"),
    ],
)
def test_a_design_must_fit_the_study(affect, design, change, sentence):
    scales = tuple(replace(s, conditions=()) for s in design.scales)
    with pytest.raises(InputError, match=sentence):
        check_design(replace(design, scales=scales, **change), affect, ["p01_u0001"])
    with pytest.raises(InputError, match="There is no clip to rate"):
        check_design(design, affect, [])


def test_classes_are_rated_as_the_study_names_them():
    dataset = synthetic_additive(samples=30, task="classification")
    names = dict(zip(dataset.features, ("audio", "text", "vision"), strict=False))
    dataset = replace(
        dataset, factors={}, features={names[m]: f for m, f in dataset.features.items()}
    )
    design = default_design(dataset)
    assert design.scale("rating").labels == dataset.class_names
    wrong = replace(design, scales=(replace(design.scales[0], labels=("a", "b")),))
    with pytest.raises(InputError, match="its labels must be the classes"):
        check_design(wrong, dataset, dataset.sample_ids.tolist())


def test_answers_are_numbers_of_the_fields_that_are_asked(design):
    many = replace(
        design,
        scales=(
            *design.scales,
            Scale("pictures", "sam", "Q", low=-3, high=3, steps=5, labels=("a", "b")),
            Scale("feeling", "categories", "Q", labels=("joy", "fear"), intensity=True),
        ),
    )
    keys = {f.key: f.measure for f in answer_fields(many, "everything")}
    assert keys == {
        "rating": "interval", "pictures": "ordinal", "feeling": "nominal",
        "feeling/intensity": "interval", "informative/audio": "ordinal",
        "informative/text": "ordinal", "informative/vision": "ordinal",
    }  # fmt: skip
    answer = {
        "rating": 1.25, "pictures": -1.5, "feeling": "fear", "feeling/intensity": 1,
    }  # fmt: skip
    fields = answer_fields(many, "audio_and_text")
    assert checked_answer(fields, answer) == {**answer, "feeling": 1.0}
    for change, sentence in (
        ({"rating": 3.1}, "'rating' must be a number from -3 to 3, got '3.1'"),
        ({"rating": float("nan")}, "must be a number from -3 to 3"),
        ({"rating": True}, "must be a number"),
        ({"pictures": -1.4}, "from -3 to 3 in 5 steps"),
        ({"feeling": "anger"}, "must be one of joy, fear, got 'anger'"),
        ({"informative/audio": 1}, "is not asked here; asked are rating"),
    ):
        with pytest.raises(InputError, match=re.escape(sentence)):
            checked_answer(fields, {**answer, **change})
    with pytest.raises(InputError, match="The answer to 'pictures' is missing"):
        checked_answer(fields, {"rating": 1})


def test_every_language_has_every_text_with_its_placeholders():
    assert {"de", "en"} <= set(languages())
    english = interface_texts("en")
    for language in languages():
        texts = interface_texts(language)
        assert set(texts) == set(english)
        for key, text in texts.items():
            assert text.strip()
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), key


def test_clips_of_a_slice_are_in_the_order_of_the_data(home, affect, design):
    study = add_study(home, affect)
    chosen = ["p02_u0008", "p01_u0001", "p01_u0003"]
    slice_id = add_slice(home, study, "some", chosen, origin="a test")
    some = replace(design, clips=ClipChoice("slice", slice=slice_id), practice=("p01_u0003",))
    assert chosen_clips(home, study, some) == ("p01_u0001", "p02_u0008")
    assert len(chosen_clips(home, study, design)) == 60


def test_a_stratified_draw_takes_equally_many_of_each_part(design):
    found = explained(*small_run("smurf"))
    for by in ("prediction", "disagreement", "unexpected"):
        choice = ClipChoice("stratified", run="r", by=by, count=20, strata=4)
        drawn = stratified_draw(found, choice, design)
        assert len(set(drawn)) == 20
        score = dict(zip(found.sample_ids.tolist(), stratum_score(found, by), strict=True))
        ends = np.quantile(list(score.values()), [0.25, 0.5, 0.75])
        parts = np.bincount(np.searchsorted(ends, [score[name] for name in drawn]), minlength=4)
        assert abs(parts - 5).max() <= 1
        assert drawn == stratified_draw(found, choice, design)
    assert drawn != stratified_draw(found, choice, replace(design, seed=1))
    with pytest.raises(InputError, match="Only 90 samples can be drawn"):
        stratified_draw(found, replace(choice, count=91), design)


def test_unexpected_is_the_widest_gap_between_two_sides():
    found = explained(*small_run("smurf"))
    sides = found.contributions
    names = found.dataset.modalities
    gaps = [
        abs(sides.redundant(a, b) - sides.redundant(b, a))[:, 0]
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]
    np.testing.assert_allclose(stratum_score(found, "unexpected"), np.max(gaps, axis=0), rtol=1e-6)


def test_a_stratified_draw_leaves_out_what_was_not_recorded(design):
    found = explained(*small_run("smurf", absent=True))
    absent = set(found.dataset.sample_ids[~found.dataset.present.all(axis=1)].tolist())
    choice = ClipChoice("stratified", run="r", by="unexpected", count=60)
    assert absent
    assert not absent & set(stratified_draw(found, choice, design))


def test_late_fusion_has_nothing_unexpected():
    with pytest.raises(InputError, match="nothing is unexpected"):
        stratum_score(explained(*small_run("late_fusion")), "unexpected")
