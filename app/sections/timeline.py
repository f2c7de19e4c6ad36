"""Parts of the page *Timeline*: a session's samples in order, under the player of the open one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import streamlit as st

from app.loading import cards_of, contributions_of, explained_of, verdicts_of
from app.loading_ratings import traces_of
from app.loading_samples import sessions_of, unexpected_of
from app.state.address import in_address, kept, linked, write
from app.state.session import workspace
from app.widgets.media import show_media, show_recording
from app.widgets.messages import escaped, facts, show_errors
from app.widgets.page_head import answer
from app.widgets.player_time import player_time
from app.widgets.walk import walk
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.media import Clip, MediaSettings, find_clip
from smurf_core.evaluation.samples import transcript_column
from smurf_core.evaluation.timeline import Session, Timeline, session_kinds, timeline
from smurf_core.plot.timeline import timeline_figure
from smurf_core.ratings.traces.account import TraceAccount, newest_with_traces
from smurf_core.reporting.cards import sample_card
from smurf_core.reporting.numbers import plain
from smurf_core.reporting.timeline_sentence import order_sentence, timeline_sentence
from smurf_core.reporting.trace_sentence import trace_sentence
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo

_KIND, _SESSION, _PLAYER, _FIGURE = "timeline_by", "timeline_session", "timeline_player", "timeline"
_BOX = "timeline_box"
# The sample that the user has asked to hear, and how often one was asked for.
_HEARD, _ASKED = "timeline_heard", "timeline_asked"


@dataclass(frozen=True)
class Shown:
    """What the page shows: one session of a run's samples, all of one kind."""

    study: StudyInfo
    run: RunInfo
    dataset: MultimodalDataset
    media: MediaSettings | None
    kind: str
    session: Session
    output: int
    is_open: bool  # there is something to explain


def session_picker(
    run: RunInfo, media: MediaSettings | None, sample_ids: npt.NDArray[np.str_]
) -> tuple[str, Session]:
    """Ask by what samples are divided, and for a session: that of the open sample at first."""
    kinds = session_kinds(explained_of(run), media)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        in_address("by", _KIND, kinds, kinds[0])
        kind = st.selectbox(
            "By", kinds, key=_KIND, label_visibility="collapsed", width=150,
            help="What belongs together: a recording, a person, or a column of the data.",
        ) if len(kinds) > 1 else kinds[0]  # fmt: skip
        found = {session.name: session for session in sessions_of(run, kind, media)}
        wanted = kept("sample", "sample")
        row = np.flatnonzero(sample_ids == wanted)
        named = linked("session")
        of_sample = [s.name for s in found.values() if len(row) and row[0] in s.rows]
        st.session_state[_SESSION] = next(
            iter(of_sample), named if named in found else next(iter(found))
        )

        def to_first() -> None:
            first = found[st.session_state[_SESSION]].rows[0]
            st.session_state["sample"] = str(sample_ids[first])

        name = st.selectbox(
            "Session", list(found), key=_SESSION, label_visibility="collapsed", on_change=to_first
        )
    write("session", name)
    return kind, found[name]


def output_picker(run: RunInfo) -> int:
    """Ask for the class whose probability is shown; 0 for regression."""
    outputs = contributions_of(run).outputs
    if len(outputs) == 1:
        return 0
    in_address("class", "timeline_class", outputs, outputs[0])
    chosen = st.segmented_control(
        "Class", outputs, key="timeline_class", required=True, label_visibility="collapsed",
        help="The probability of this class is shown; contributions are to its logit, less the "
        "mean over the classes.",
    )  # fmt: skip
    return outputs.index(chosen or outputs[0])


@st.fragment
def show_timeline(page: Shown) -> None:
    """The sentence, the open sample with its player, and the figure: a click opens a sample."""
    with show_errors():
        run, output = page.run, page.output
        name = contributions_of(run).outputs[output]
        unexpected = unexpected_of(run, name) if page.is_open else None
        shown = timeline(
            explained_of(run), page.session, output=output, unexpected=unexpected,
            verdict_table=verdicts_of(run) if page.is_open else None,
        )  # fmt: skip
        if unexpected is not None:
            answer(timeline_sentence(shown, unexpected))
        at = _place(shown)
        left, right = st.columns([3, 2], vertical_alignment="center")
        with left:
            walk(str(shown.sample_ids[at]), at, len(shown), partial(_go, shown))
            _open_sample(page, shown, at)
        with right, st.container(key=_PLAYER):
            heard = _play(page, shown, at)
        traces = _traces(page, shown)
        _figure(page, shown, at, name, traces)
        if traces is not None:
            st.markdown(escaped(trace_sentence(traces, str(shown.sample_ids[at]))))
        st.markdown(f":small[{_notes(page, shown, traces)}]")
        if heard is not None:
            _follow(shown, at, heard)


def _place(shown: Timeline) -> int:
    """The open sample's place in the session; its id is in the address."""
    wanted = kept("sample", "sample")
    places = np.flatnonzero(shown.sample_ids == wanted)
    at = int(places[0]) if len(places) else 0
    sample = st.session_state["sample"] = str(shown.sample_ids[at])
    write("sample", sample)
    return at


def _go(shown: Timeline, to: int, *, is_heard: bool = True) -> None:
    """Open a sample; `is_heard`: and play it."""
    if 0 <= to < len(shown):
        st.session_state["sample"] = str(shown.sample_ids[to])
        if is_heard:
            st.session_state[_HEARD] = str(shown.sample_ids[to])
            st.session_state[_ASKED] = st.session_state.get(_ASKED, 0) + 1


def _open_sample(page: Shown, shown: Timeline, at: int) -> None:
    """What was said, target and prediction, and the card's sentence."""
    sample, dataset = str(shown.sample_ids[at]), page.dataset
    words = transcript_column(dataset)
    said = dataset.samples[words].iloc[page_row(dataset, sample)] if words else ""
    lines = [f"“{escaped(said)}”"] if isinstance(said, str) and said else []
    if page.is_open:
        lines.append(escaped(sample_card(cards_of(page.run), sample, shown.output).sentence))
    if dataset.task == "regression":
        digits = cards_of(page.run).digits
        known = {
            "Target": plain(shown.target[at], digits),
            "Prediction": plain(shown.prediction[at], digits),
        }
    else:
        true = dataset.class_names[int(dataset.target[page_row(dataset, sample)])]
        known = {"Target": true, f"Probability of {shown.output}": _chance(shown.prediction[at])}
    facts(known)
    if lines:
        st.markdown("  \n".join(lines))


def _chance(probability: float) -> str:
    return "< 0.1%" if 0 < probability < 0.0005 else f"{probability:.1%}"


def page_row(dataset: MultimodalDataset, sample: str) -> int:
    """A sample's row in the data set."""
    return int(dataset.positions(np.array([sample]))[0])


@dataclass(frozen=True)
class _Heard:
    """What the player plays: the whole recording of all samples, or the open one's clip.

    `spans` are starts and ends in the player's seconds (None: the player's end), of all samples or
    of the open one.
    """

    is_whole: bool
    spans: list[tuple[float, float | None]]


def _play(page: Shown, shown: Timeline, at: int) -> _Heard | None:
    """The player: of the session's one recording, or of the open sample; None without any."""
    if page.media is None:
        return None
    sample = str(shown.sample_ids[at])
    whole = _one_recording(page, shown)
    if whole:
        show_recording(whole[0], width=300)
        return _Heard(True, [(clip.start, clip.end) for clip in whole])
    is_heard = st.session_state.pop(_HEARD, None) == sample
    played = show_media(page.study, page.dataset, sample, width=300, autoplay=is_heard)
    return _Heard(False, [played or (0.0, None)])


def _one_recording(page: Shown, shown: Timeline) -> list[Clip]:
    """The session's samples as parts of one recording; empty if they are not."""
    if page.media is None or not shown.is_timed or not page.media.start:
        return []
    found = [find_clip(page.media, page.dataset, str(name)) for name in shown.sample_ids]
    clips = [clip for clip in found if clip is not None]
    return clips if len(clips) == len(found) and len({c.path for c in clips}) == 1 else []


def _traces(page: Shown, shown: Timeline) -> TraceAccount | None:
    """The traces of the newest collection that has some of these samples, of the chosen scale."""
    collection = newest_with_traces(workspace(), page.study.id)
    if collection is None:
        return None
    ids = set(shown.sample_ids.tolist())
    known = {
        found.traces.scale.name: found for found in traces_of(collection) if ids & set(found.means)
    }
    if len(known) < 2:
        return next(iter(known.values()), None)
    in_address("traces", "timeline_traces", list(known), next(iter(known)))
    chosen = st.segmented_control(
        "Traces", list(known), key="timeline_traces", required=True,
        label_visibility="collapsed", help="The continuous scale whose traces are shown.",
    )  # fmt: skip
    return known.get(chosen or "", next(iter(known.values())))


def _figure(page: Shown, shown: Timeline, at: int, name: str, traces: TraceAccount | None) -> None:
    key = f"{_FIGURE}_{page.kind}_{page.session.name}_{page.output}"

    def open_clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            _go(shown, round(points[0]["x"]) - 1)

    unit = name if page.dataset.task == "regression" else "Probability"
    box = st.container(key=_BOX)
    box.plotly_chart(
        timeline_figure(shown, page.dataset.modalities, at, unit, traces=traces),
        key=key,
        on_select=open_clicked,
        selection_mode="points",
        config={"displayModeBar": False},
        alt=f"Predictions{' and contributions' if shown.layers else ''} of {len(shown)} samples "
        f"from left to right{', with traces by raters' if traces else ''}",
    )  # fmt: skip


def _notes(page: Shown, shown: Timeline, traces: TraceAccount | None) -> str:
    opens = "opens a sample" if page.media is None else "opens and plays a sample"
    notes = [order_sentence(shown, page.kind), f"A click {opens}."]
    if shown.layers:
        notes.append("Hatched: shared. Pale and outlined: the verdict is not good.")
    if traces is not None:
        who = "Simulated raters'" if traces.traces.is_simulated else "Raters'"
        notes.append(
            f"{who} traces: thin lines; their mean with its 95% interval over raters"
            + ("." if traces.is_agreed else ", pale because no agreement is found.")
        )
    return escaped(" ".join(notes))


def _follow(shown: Timeline, at: int, heard: _Heard) -> None:
    """Let the player move the mark, or play the next sample where each has its own recording."""
    starts = [float(start) for start in shown.starts] if heard.is_whole else None
    plays_on = starts is None and st.toggle(
        "Play on", key="timeline_plays_on", persist_state="session",
        help="When a sample has ended, the next one is opened and played.",
    )  # fmt: skip
    player_time(
        _PLAYER, at, starts=starts, plays_on=plays_on, figure=_BOX, spans=heard.spans,
        seek=f"{shown.sample_ids[0]}_{st.session_state.get(_ASKED, 0)}",
        play=st.session_state.get(_HEARD) == shown.sample_ids[at],
        on_moment=lambda place: _go(shown, place, is_heard=False),
        on_end=lambda place: _go(shown, place + 1),
    )  # fmt: skip
