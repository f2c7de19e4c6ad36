"""What is said of losses: no modality is missed most unless its interval is below all others'."""

import pandas as pd
import pytest

from smurf_core.evaluation.gate import Gate
from smurf_core.reporting.loss_sentences import loss_sentences

OPEN = Gate("r", 0.8, 0.7, 0.9, 0.0, 100, 20)


def _losses(*rows):
    return pd.DataFrame(
        [
            {
                "modality": name, "full": 0.8, "without": 0.8 + change, "change": change,
                "ci_low": low, "ci_high": high,
            }
            for name, change, low, high in rows
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [("text", -0.3, -0.35, -0.25), ("face", -0.1, -0.2, -0.05)],
            ["Without text, r falls most: from 0.80 to 0.50 (−0.30 [−0.35, −0.25])."],
        ),
        (
            [("text", -0.3, -0.35, -0.1), ("face", -0.1, -0.2, -0.05)],
            [
                "Without any one of text and face, r falls; which is missed most cannot be said: "
                "text −0.30 [−0.35, −0.10]; face −0.10 [−0.20, −0.05]."
            ],
        ),
        (
            [("text", -0.1, -0.2, 0.05), ("ecg", 0.04, 0.02, 0.06)],
            [
                "No single modality is clearly missed: r cannot be said to fall.",
                "Without ecg, r rises (+0.04 [0.02, 0.06]).",
            ],
        ),
        (
            [("text", -0.3, -0.4, -0.1), ("face", -0.1, -0.3, 0.05)],
            [
                "Without text, r falls (−0.30 [−0.40, −0.10]).",
                "Whether face is missed cannot be said.",
            ],
        ),
        ([("text", -0.3, float("nan"), float("nan"))], []),
    ],
)
def test_sentences_claim_no_more_than_intervals(rows, said):
    assert loss_sentences(_losses(*rows), OPEN) == said


def test_nothing_is_said_where_there_is_nothing_to_explain():
    closed = Gate("r", 0.1, -0.2, 0.3, 0.0, 100, 20)
    assert loss_sentences(_losses(("text", -0.3, -0.35, -0.25)), closed) == []
