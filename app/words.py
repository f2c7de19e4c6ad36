"""What a run found, in sentences that are computed from its numbers."""

from __future__ import annotations

import pandas as pd

from app.charts.theme import term_label


def overview_sentences(shares: pd.DataFrame, stability: pd.DataFrame) -> list[str]:
    """Who carries the prediction, how much is shared, and what may be believed.

    `shares` is one output's part of `variance_shares`, `stability` what `stability` returns.
    """
    by_source = shares.groupby("modality", sort=False)["share"].sum()
    first = str(by_source.idxmax())
    sentences = [
        f"{first} carries most of the prediction: {by_source[first]:.0%} of its variance, "
        f"{_of(shares, first, 'unique'):.0%} alone and "
        f"{_of(shares, first, 'redundant'):.0%} shared with others."
    ]
    redundant = shares[shares["kind"] == "redundant"]
    if (redundant["sd"] > 0).any():
        alone = shares.loc[shares["kind"] == "unique", "share"].sum()
        sentences[0] = sentences[0].replace("-", "−")
        sentences.append(
            f"Over all modalities, {alone:.0%} of the variance is unique to one of them and "
            f"{redundant['share'].sum():.0%} redundant.".replace("-", "−")
        )
    else:
        sentences[0] = (
            f"{first} carries most of the prediction: {by_source[first]:.0%} of its variance."
        ).replace("-", "−")
    unstable = stability[stability["verdict"] == "unstable"]
    if unstable.empty:
        sentences.append("Restarts and folds agree on every contribution that is large enough.")
    else:
        names = [
            term_label(i, j)
            for i, j in zip(unstable["modality"], unstable["shared_with"], strict=True)
        ]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        sentences.append(
            f"Do not build on {'; '.join(names[:3])}{more}: restarts or folds disagree on "
            f"{'it' if len(names) == 1 else 'them'}."
        )
    return sentences


def _of(shares: pd.DataFrame, modality: str, kind: str) -> float:
    chosen = shares[(shares["modality"] == modality) & (shares["kind"] == kind)]
    return float(chosen["share"].sum())
