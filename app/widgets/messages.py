"""Messages that all pages share: errors, problems in the data, and what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.state.address import end_page
from app.state.callbacks import callback, callback_error
from app.state.navigation import page_path
from app.state.session import RUN, TARGET, chosen_study, current_run, gone, workspace
from app.widgets.waiting import waits_for_first_run
from smurf_core.data.problems import Problem, problem_table
from smurf_core.errors import InputError
from smurf_core.runs.store import RunInfo, list_runs

# Under a figure that is pale as a whole.
DOUBT = "Pale: the verdict is not good, so this is no finding."
_AHEAD = 0.04  # seconds
_TRIED = "_tried"  # a run has just failed above its page
_ICONS = {"error": "⛔ error", "warning": "⚠️ warning", "note": "ℹ️ note"}


@contextmanager
def show_errors(place: DeltaGenerator | None = None) -> Iterator[None]:
    """Show an error that the user can fix as one sentence (here, or in `place`), and continue."""
    try:
        yield
    except InputError as error:
        (st if place is None else place).error(escaped(str(error)))


@contextmanager
def tried_twice() -> Iterator[None]:
    """Run everything again, once, if what is above a page fails.

    Somebody else may delete a study between two questions about it; the next run knows. A run that
    ends early would empty the places for files below.
    """
    try:
        yield
    except InputError:
        if not st.session_state.get(_TRIED):
            st.session_state[_TRIED] = True
            st.rerun()
        raise
    st.session_state.pop(_TRIED, None)


def show_callback_error() -> None:
    """Show the error of the last click or selection, if it had one."""
    if (error := callback_error()) is not None:
        st.error(escaped(error))


def escaped(text: str) -> str:
    """Text from files and users, shown unchanged: no part of it acts as markup."""
    for mark in "\\`*_{}[]()#+-.!|<>~$:":
        text = text.replace(mark, f"\\{mark}")
    return text


def show_problems(problems: Sequence[Problem]) -> None:
    """A table of problems, the most serious first; a note if there are none."""
    if not problems:
        st.success("No problems found.")
        return
    table = problem_table(problems)
    table["severity"] = table["severity"].map(_ICONS)
    empty = [column for column in ("file", "column", "row") if not table[column].any()]
    st.dataframe(
        table.drop(columns=empty),
        hide_index=True,
        width="stretch",
        row_height=46,
        column_config={
            "severity": st.column_config.TextColumn("Kind", width=110),
            "file": st.column_config.TextColumn("File", width="small"),
            "column": st.column_config.TextColumn("Column", width="small"),
            "row": st.column_config.NumberColumn("Row", width="small"),
            "message": st.column_config.TextColumn("What", width="large"),
            "remedy": st.column_config.TextColumn("What was done, or how to fix it", width="large"),
        },
    )


def finished_run() -> RunInfo:
    """The current run; if there is none, shows how to get one and ends the page."""
    run = current_run()
    if run is None:
        no_run()
        end_page()
    return run


def no_run() -> None:
    """Show how to get a finished run."""
    if gone(RUN):  # The warning above the page shows why.
        return
    study = chosen_study()
    if study is not None and waits_for_first_run(study.id):
        return
    runs = list_runs(workspace(), study.id) if study is not None else []
    target = st.session_state.get(TARGET)
    last = next((run for run in runs if target in (None, run.target)), None)
    why = ""
    if last is not None and last.status in ("failed", "crashed"):
        why = f" The last one failed: {escaped(last.error)}"
    st.info(f"This study has no finished run yet.{why}")
    st.page_link(page_path("train"), label="Train a model", icon=":material/model_training:")


def bullets(sentences: Iterable[str]) -> None:
    """Sentences as one list, whose lines are close to each other."""
    if said := "\n".join(f"- {escaped(sentence)}" for sentence in sentences):
        st.markdown(said)


def facts(values: Mapping[str, str]) -> None:
    """Short facts side by side: each with a small title above its value.

    This is one element: its lines stay close when they wrap, and it is drawn at once.
    """
    items = "".join(
        f'<div><dt style="font-size:.875rem;font-weight:400">{_one_line(title)}</dt>'
        f'<dd style="margin:0;font-weight:600">{_one_line(value)}</dd></div>'
        for title, value in values.items()
    )
    style = "display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:0 0 .5rem"
    st.markdown(f'<dl style="{style}">{items}</dl>', unsafe_allow_html=True)


def numbers_first() -> None:
    """Let the browser show the page so far before a large figure follows.

    Elements that arrive together are drawn together, and a figure with thousands of points takes
    a browser a quarter of a second.
    """
    time.sleep(_AHEAD)


def _one_line(text: str) -> str:
    """Text for HTML: escaped, and without an empty line, after which Markdown would go on."""
    return escape(" ".join(text.split()))


def offer_undo(deleted: str, key: str, restore: Callable[[str], None]) -> None:
    """A button that restores what was deleted last: its id and name are in `deleted`."""
    if deleted not in st.session_state:
        return
    identifier, name = st.session_state[deleted]

    @callback
    def undo() -> None:
        del st.session_state[deleted]  # Also if it is gone: then there is nothing to restore.
        restore(identifier)

    place, button = st.columns([6, 1], vertical_alignment="center")
    place.info(f"{escaped(name)} was deleted.")
    # The key names what is restored: a click never means another one.
    button.button("Undo", key=f"{key}_{identifier}", width="stretch", on_click=undo)
