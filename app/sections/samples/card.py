"""A sample's card on the page: the library's card as one element, which is drawn at once."""

from __future__ import annotations

from html import escape
from math import isnan

import scipy  # whose parts load when used, after the first paint
import streamlit as st

from app.loading import cards_of, contributions_of
from app.state.session import workspace
from app.widgets.media import show_media
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.plot.theme import modality_colours
from smurf_core.reporting.cards import sample_card
from smurf_core.reporting.numbers import plain, signed
from smurf_core.reporting.sample_card import Part, Row, SampleCard
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo, media_of
from smurf_core.terms import partner_label

# Of more modalities, a row shows its largest shared parts; Details has all.
_SHOWN = 2
_PALE = "opacity:.78;border-bottom:1px dotted"
_CELL = "padding:.2rem .5rem .2rem 0;vertical-align:top;border:0"


def show_card(sample: str, study: StudyInfo, dataset: MultimodalDataset, run: RunInfo) -> None:
    """A sample's transcript and player, its sentence, and a row for each modality."""
    output = ask_output(sample, run, dataset)
    name = contributions_of(run).outputs[output]
    source = cards_of(run)
    card = sample_card(source, sample, name)
    # Each page that shows cards says above why there is nothing to explain.
    sentence = _sentence(card) if source.gate.is_open else ""
    body = _body(card, dataset.modalities)
    if media_of(workspace(), study.id) is None:
        st.markdown(sentence + _head(card) + body, unsafe_allow_html=True)
        return
    if sentence:
        st.markdown(sentence, unsafe_allow_html=True)
    left, right = st.columns([3, 2], vertical_alignment="center")
    with right:
        show_media(study, dataset, sample, width=200)
    left.markdown(_head(card), unsafe_allow_html=True)
    st.markdown(body, unsafe_allow_html=True)


def ask_output(sample: str, run: RunInfo, dataset: MultimodalDataset) -> int:
    """The class that is taken apart, by the user's choice; 0 for regression."""
    if dataset.task == "regression":
        return 0
    contributions = contributions_of(run)
    logits = contributions.select(contributions.sample_ids == sample).prediction()[0]
    predicted = int(logits.argmax())
    chances = scipy.special.softmax(logits)
    return int(
        st.selectbox(
            "Class",
            range(len(dataset.class_names)),
            index=predicted,
            key=f"explain_{sample}",
            label_visibility="collapsed",
            format_func=lambda c: (
                f"{dataset.class_names[c]}: {chances[c]:.1%}"
                + (" (predicted)" if c == predicted else "")
            ),
            help="Contributions are to the logit of this class, less the mean over the classes. "
            "The number is the class's probability.",
        )
    )


def _sentence(card: SampleCard) -> str:
    style = "margin:0 0 .4rem;font-weight:600"
    return f'<p class="card-sentence" style="{style}">{_line(card.sentence)}</p>'


def _head(card: SampleCard) -> str:
    facts = {"Target": card.target, "Prediction": card.prediction}
    if card.probabilities:
        facts[f"Logit of {card.output}"] = plain(card.logits[card.output], card.digits)
    if card.person:
        facts["Person"] = card.person
    items = "".join(
        f'<div><dt style="font-size:.8rem;font-weight:400">{_line(title)}</dt>'
        f'<dd style="margin:0;font-weight:600">{_line(value)}</dd></div>'
        for title, value in facts.items()
    )
    said = f'<p style="margin:0 0 .4rem">“{_line(card.transcript)}”</p>' if card.transcript else ""
    style = "display:flex;flex-wrap:wrap;gap:.2rem 1.6rem;margin:0 0 .4rem"
    return f'{said}<dl style="{style}">{items}</dl>'


def _body(card: SampleCard, modalities: tuple[str, ...]) -> str:
    colours = modality_colours(modalities)
    rows = [row for row in card.rows if len(row.source) == 1]
    has_people = any(not isnan(row.judged) for row in rows)
    has_shared = any(row.shared for row in rows)
    heads = ["Modality", *(["People"] if has_people else []), "Alone"]
    heads += ["With whom: own side ⇄ other side"] if has_shared else []
    head = "".join(
        f'<th scope="col" style="{_CELL};text-align:left;font-size:.8rem">{title}</th>'
        for title in heads
    )
    body = "".join(
        f"<tr>{_row(card, row, colours, has_people=has_people, has_shared=has_shared)}</tr>"
        for row in rows
    )
    table = (
        '<table class="sample-card" style="border:0;border-collapse:collapse;'
        f'margin:0"><thead><tr style="border:0">{head}</tr></thead><tbody>{body}</tbody></table>'
    )
    return table + _notes(card)


def _row(
    card: SampleCard, row: Row, colours: dict[str, str], *, has_people: bool, has_shared: bool
) -> str:
    square = (
        f'<span style="display:inline-block;width:.7em;height:.7em;margin-right:.4em;'
        f'background:{colours[row.name]}"></span>'
    )
    marks = "" if row.is_recorded else "<br><small>not recorded</small>"
    if row.outside:
        marks += f"<br><small>far from training: {_line(row.outside)}</small>"
    cells = [
        f'<th scope="row" style="{_CELL};text-align:left">{square}{_line(row.name)}{marks}</th>'
    ]
    if has_people:
        cells.append(f'<td style="{_CELL}">{plain(row.judged, card.digits)}</td>')
    cells.append(f'<td style="{_CELL}">{_part(card, row.alone)}</td>')
    if has_shared:
        parts = sorted(row.shared, key=lambda shared: -abs(shared.own.value))
        few = row.shared if len(row.shared) <= _SHOWN else parts[:_SHOWN]
        lines = []
        for shared in few:
            others = ", ".join(card.written_value(other) for other in shared.others)
            pale = shared.relation in ("not separated", "unclear")
            own = escape(card.written(shared.own)) if pale else _part(card, shared.own)
            text = (
                f"{_line(partner_label(shared.own.term.names[2]))}: {own} ⇄ {others} "
                f"<em>{shared.relation_text}</em>"
            )
            lines.append(f'<div style="{_PALE if pale else ""}">{text}</div>')
        if len(few) < len(row.shared):
            lines.append(f"<small>{len(row.shared) - len(few)} smaller: see Details</small>")
        cells.append(f'<td style="{_CELL}">{"".join(lines)}</td>')
    return "".join(cells)


def _part(card: SampleCard, part: Part | None) -> str:
    """A part with its interval, pale if its verdict is not good."""
    text = escape(card.written(part))
    if part is None or part.is_good:
        return text
    return f'<span style="{_PALE}" title="Verdict: {escape(part.verdict)}">{text}</span>'


def _notes(card: SampleCard) -> str:
    together = [
        part.value
        for row in card.rows
        if len(row.source) > 1
        for part in [row.alone, *(shared.own for shared in row.shared)]
        if part is not None
    ]
    notes = []
    alone = {row.name for row in card.rows}
    judged = [
        f"{_line(names)} {plain(value, card.digits)}"
        for names, value in card.judgments.items()
        if names not in alone
    ]
    if judged:
        notes.append(f"People, from several modalities: {'; '.join(judged)}.")
    if together:
        notes.append(f"Said only together: {signed(sum(together), card.digits)} (see Details).")
    if card.probabilities:
        notes.append(
            f"Contributions are to the logit of {_line(card.output)}, less the mean over the "
            "classes."
        )
    if any(not part.is_good for part in card.parts()):
        notes.append("Pale and dotted: the verdict is not good; do not rely on it.")
    if any(not isnan(part.half_width) for part in card.parts()):
        notes.append("±: 95% interval over models of other persons.")
    return f'<p style="margin:.4rem 0 0;font-size:.8rem">{" ".join(notes)}</p>' if notes else ""


def _line(text: str) -> str:
    """Text for HTML: escaped, without an empty line, after which Markdown would go on."""
    return escape(" ".join(text.split())).replace("$", "&#36;")
