"""Nearly equal ids: matched in the order of what may differ, one to one, or not at all."""

import pandas as pd
import pytest

from smurf_core.data.importing.near_ids import hint, respelled

BASE = ["clip01", "clip02", "clip03"]


def matched(base, own):
    return respelled(pd.Index(base, dtype="str"), pd.Index(own, dtype="str"), "t.csv")


@pytest.mark.parametrize(
    ("own", "differences"),
    [
        (["Clip01", "CLIP02", "clip03"], ("case",)),
        (["clip 01", "clip02 ", "clip03"], ("blanks",)),
        (["a/clip01", "a/clip02", "b\\clip03"], ("folders",)),
        (["clip01.wav", "clip02.mp4", "clip03"], ("suffixes of files",)),
        (["clip1", "clip2", "clip3"], ("leading zeros",)),
        (["x/Clip01.WAV", "x/Clip02.WAV", "x/Clip03.WAV"],
         ("case", "folders", "suffixes of files")),
    ],
)  # fmt: skip
def test_ids_match_without_regard_to(own, differences):
    found = matched(BASE, own)
    assert found.ids.tolist() == BASE
    assert found.near.differences == differences
    assert found.near.count == sum(a != b for a, b in zip(own, BASE, strict=True))


def test_unicode_forms_and_a_final_zero_are_ignored():
    assert matched(["Jos\u00e9"], ["Jose\u0301"]).near.differences == ("Unicode form",)
    assert matched(["1", "2"], ["1.0", "2.0"]).near.differences == ("a final .0",)


def test_a_difference_is_kept_where_ids_would_become_equal():
    found = matched(["a/x", "b/x", "c/y"], ["x", "y", "z"])
    assert found.ids.tolist() == ["x", "y", "z"]
    assert found.near.count == 0
    assert "differ only in spelling" in hint(pd.Index(["a/x", "b/x"]), pd.Index(["x"]))


def test_dotted_ids_are_not_numbers_with_zeros():
    assert matched(["1.1", "1.10"], ["1.10", "1.1"]).near.count == 0
    assert matched(["1.1", "1.2"], ["1.10", "1.20"]).ids.tolist() == ["1.10", "1.20"]


def test_folders_are_compared_as_deep_as_both_have_them():
    found = matched(["s1/c1.wav", "s2/c1.wav"], ["raw/s2/c1.wav", "raw/s1/c1.wav"])
    assert found.ids.tolist() == ["s2/c1.wav", "s1/c1.wav"]


def test_ids_that_match_are_left_as_they_are():
    found = matched(BASE, ["clip02", "other"])
    assert found.ids.tolist() == ["clip02", "other"]
    assert found.near.differences == ()
