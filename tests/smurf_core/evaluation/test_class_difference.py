import numpy as np
import pytest
import scipy

from smurf_core.errors import InputError
from smurf_core.evaluation.class_difference import class_difference, two_likeliest
from smurf_core.explained import explained
from smurf_core.reporting.cards import card_source
from smurf_core.reporting.class_difference import difference_card
from smurf_core.reporting.numbers import signed
from tests.smurf_core.trained import small_run


@pytest.fixture(scope="module")
def found():
    result, data = small_run("smurf", "classification")
    return card_source(result, explained(result, data))


def test_parts_add_up_to_the_log_odds_of_two_classes(found):
    contributions = found.explained.contributions
    difference = class_difference(contributions, slice_of(contributions, 5), "class_1", "class_3")
    probability = scipy.special.softmax(contributions.prediction().astype(np.float64), axis=1)[5]
    total = difference.baseline[0, 0] + difference.values.astype(np.float64).sum()
    assert total == pytest.approx(np.log(probability[0] / probability[2]), abs=1e-5)
    assert difference.prediction()[0, 0] == pytest.approx(total, abs=1e-9)
    # The mean over classes, which is taken off elsewhere, makes no difference.
    identified = contributions.identified_terms()[5]
    np.testing.assert_allclose(
        difference.values[0, :, 0], identified[:, 0] - identified[:, 2], atol=1e-6
    )


def slice_of(contributions, row):
    return contributions.sample_ids == contributions.sample_ids[row]


def test_the_two_most_probable_classes_are_compared_unless_others_are_chosen(found):
    contributions = found.explained.contributions
    sample = str(contributions.sample_ids[7])
    order = np.argsort(-contributions.prediction()[7])
    names = np.asarray(contributions.outputs)[order]
    assert two_likeliest(contributions, [sample]) == (names[0], names[1])
    assert (difference_card(found, sample).first, difference_card(found, sample).second) == (
        names[0],
        names[1],
    )
    card = difference_card(found, sample, names[2], names[0])
    assert card.total < 0
    assert card.sentence.startswith(f"{names[0]} is ")
    assert signed(card.total, card.digits) in card.sentence
    assert card.table()["difference"].sum() + card.contributions.baseline[0, 0] == pytest.approx(
        card.total, abs=1e-5
    )


def test_nothing_is_named_that_the_verdicts_do_not_allow(found):
    for sample in found.explained.sample_ids[:40]:
        card = difference_card(found, str(sample))
        doubtful = [part.label for part in card.parts if not part.is_good]
        assert set(card.doubtful) == set(doubtful)
        assert not any(f" {label} (" in card.sentence for label in doubtful)
    if not found.gate.is_open:
        assert "Towards" not in card.sentence


def test_a_class_that_is_not_there_is_refused(found):
    contributions = found.explained.contributions
    with pytest.raises(InputError, match="No class 'joy'"):
        class_difference(contributions, [0], "joy", "class_1")
    with pytest.raises(InputError, match="compared with itself"):
        class_difference(contributions, [0], "class_1", "class_1")
