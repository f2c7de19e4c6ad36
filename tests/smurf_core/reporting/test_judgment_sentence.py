"""Where people and model agree: only with a good verdict and a calibrated r above zero."""

import pandas as pd
import pytest

from smurf_core.reporting.judgment_sentence import judgment_sentence


def _row(modality, r=0.5, low=0.3, p=0.001, verdict="reliable"):
    return {
        "modality": modality, "r_calibrated": r, "ci_low_calibrated": low,
        "ci_high_calibrated": 0.7, "p_calibrated_holm": p, "verdict": verdict,
    }  # fmt: skip


@pytest.mark.parametrize(
    "doubtful",
    [_row("face", low=-0.1), _row("face", p=0.2), _row("face", verdict="unstable"),
     _row("face", r=-0.5, low=-0.7)],
)  # fmt: skip
def test_a_doubtful_modality_is_not_claimed(doubtful):
    both = pd.DataFrame([_row("voice"), doubtful, _row("voice+face")])
    assert judgment_sentence(both, ("voice", "face")) == (
        "What only one modality says agrees with what people find only there: voice "
        "(r = 0.50 [0.30, 0.70]); for face this cannot be said."
    )
    alone = pd.DataFrame([doubtful])
    assert "cannot be claimed" in judgment_sentence(alone, ("voice", "face"))


def test_modalities_together_are_spoken_of_only_without_single_ones():
    both = pd.DataFrame([_row("voice+face")])
    assert "voice+face (r = 0.50" in judgment_sentence(both, ("voice", "face"))
