"""Cards of samples as a table for papers: Table 6 of any list."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from smurf_core.reporting.sample_card import SampleCard
from smurf_core.reporting.tables import Cell, ReportTable, Section, shortened

SHOWN = 9  # cards of a gallery
IN_WORDS = "In words"  # the title of the column with the sentences


def gallery_table(cards: Sequence[SampleCard], title: str) -> ReportTable:
    """One row a card: transcript, target, prediction, each modality alone, and the sentence.

    `numbers` are the cards' tables, unrounded.
    """
    has_words = any(card.transcript for card in cards)
    sources = [row.name for row in cards[0].rows if len(row.source) == 1] if cards else []
    rows = []
    for card in cards:
        alone = {row.name: row for row in card.rows}
        cells = [Cell(f"{card.sample_id} ({card.outside})" if card.outside else card.sample_id)]
        if has_words:
            cells.append(Cell(shortened(card.transcript)))
        cells += [Cell(card.target), Cell(card.prediction)]
        for name in sources:
            part = alone[name].alone
            doubt = "" if part is None or part.is_good else "?"
            cells.append(Cell(card.written(part) + doubt))
        rows.append((*cells, Cell(card.sentence)))
    unit = (
        " Contributions are to the logit of the predicted class."
        if cards and cards[0].probabilities
        else ""
    )
    return ReportTable(
        name="examples",
        title=f"Examples: {title}",
        caption="What each modality says alone, with 95% intervals over models of other persons "
        "where they are known, and what is most worth saying of each sample. ?: the verdict is "
        f"not good; a dash: not recorded.{unit}",
        header=(
            "Sample", *(["Transcript"] if has_words else []), "Target", "Prediction",
            *(f"{name} alone" for name in sources), IN_WORDS,
        ),
        sections=(Section("", tuple(rows)),),
        numbers=pd.concat(
            [
                card.table().assign(sample_id=card.sample_id, sentence=card.sentence)
                for card in cards
            ],
            ignore_index=True,
        )
        if cards
        else pd.DataFrame(),
    )  # fmt: skip
