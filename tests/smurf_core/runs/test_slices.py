"""Slices of a study: kept, named, linked."""

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.runs import slices, studies


@pytest.fixture
def study(home) -> str:
    return studies.add_study(home, synthetic_additive(samples=50))


def test_a_selection_has_one_link_however_it_was_made(home, study):
    first = slices.remember_selection(home, study, ["s2", "s1"], origin="a figure")
    again = slices.remember_selection(home, study, np.array(["s1", "s2", "s2"]), origin="a table")
    assert first == again
    assert slices.slice_samples(home, first).tolist() == ["s1", "s2"]
    found = slices.find_slice(home, study, first)
    assert (found.name, found.count, found.origin) == ("", 2, "a table")
    assert slices.list_slices(home, study) == []


def test_old_unnamed_selections_make_room_and_named_slices_stay(home, study, monkeypatch):
    monkeypatch.setattr(slices, "UNNAMED_KEPT", 3)
    named = slices.add_slice(home, study, "kept", ["s0"], origin="a table")
    made = [slices.remember_selection(home, study, [f"s{i}"], origin="x") for i in range(5)]
    there = [s for s in made if slices.find_slice(home, study, s)]
    assert there == made[-3:]
    assert [s.id for s in slices.list_slices(home, study)] == [named]


def test_a_slice_is_renamed_deleted_and_brought_back_under_a_free_name(home, study):
    one = slices.add_slice(home, study, "  quiet   ones ", ["s1", "s3"], origin="a filter")
    assert slices.list_slices(home, study)[0].name == "quiet ones"
    slices.rename_slice(home, one, "loud")
    slices.delete_slice(home, one)
    assert slices.list_slices(home, study) == []
    with pytest.raises(InputError, match="deleted"):
        slices.slice_samples(home, one)
    slices.add_slice(home, study, "Loud", ["s2"], origin="a filter")
    slices.restore_slice(home, one)
    assert [s.name for s in slices.list_slices(home, study)] == ["loud (2)", "Loud"]


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 81, "All samples", "selection", "taken", "TAKEN"]
)
def test_names_that_would_be_confused_are_refused(home, study, name):
    slices.add_slice(home, study, "taken", ["s1"], origin="x")
    with pytest.raises(InputError, match="name"):
        slices.add_slice(home, study, name, ["s2"], origin="x")


def test_a_slice_of_no_sample_is_refused_and_another_studys_is_not_found(home, study):
    with pytest.raises(InputError, match="at least one sample"):
        slices.add_slice(home, study, "empty", [], origin="x")
    mine = slices.add_slice(home, study, "mine", ["s1"], origin="x")
    other = studies.add_study(home, synthetic_additive(samples=50))
    assert slices.find_slice(home, other, mine) is None
    slices.add_slice(home, other, "mine", ["s1"], origin="x")  # Names are a study's own.


def test_slices_go_for_good_with_their_study(home, study):
    mine = slices.add_slice(home, study, "mine", ["s1"], origin="x")
    studies.delete_study(home, study)
    assert studies.purge_studies(home, older_than=-1) == 1
    assert slices.find_slice(home, study, mine) is None
