"""What a page shows as a part of its address: Back, a reload and a copied link return to it.

Streamlit makes one step of the browser's history of each change of the query. So what a run of the
app changes is written at once, at its end (`address_of`); what only a fragment changes is written
by the fragment.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn, TypeVar

import streamlit as st

Option = TypeVar("Option")

_BATCH = "_address_batch"  # What this run will write: name → value, None to remove it.
_LEADS = "_address_leads"  # "back" or "link" while the address leads, otherwise absent.
_PAGE = "_address_page"  # The page that is shown.
_SHOWN = "_address_shown"  # Every page with its query that this session has shown; the last is now.
_WRITTEN = "_address_written"  # When the address was written last.
_MOST = 200
# A click made before the browser knew the new address comes with the one before it: no Back.
_UNDER_WAY = 2.0  # seconds; a browser on a busy machine needs more than one


class _PageEndedError(BaseException):
    """No error: nothing that catches errors catches it."""


@contextmanager
def address_of(page: str) -> Iterator[None]:
    """Run a page: read from the address what the user changed there, and write what has changed.

    If the user went back, or followed a link within the session, the address leads; otherwise what
    the session keeps does, also on a page that was opened in the navigation, whose link has no
    query.
    """
    query = st.query_params.to_dict()
    shown: list[tuple[str, dict[str, str]]] = st.session_state.setdefault(_SHOWN, [])
    here = (page, query)
    is_late = time.monotonic() - st.session_state.get(_WRITTEN, 0.0) < _UNDER_WAY
    if query and shown and here != shown[-1] and not (is_late and here in shown[-4:]):
        st.session_state[_LEADS] = "back" if here in shown else "link"
    st.session_state[_BATCH], st.session_state[_PAGE] = {}, page
    try:
        with suppress(_PageEndedError):
            yield
        _write_all()
    finally:  # Nothing is written before another run, which an exception asks for.
        st.session_state.pop(_LEADS, None)
        st.session_state.pop(_BATCH, None)


def end_page() -> NoReturn:
    """End the run of a page before its end; unlike after `st.stop`, its address is kept."""
    raise _PageEndedError


def linked(name: str) -> str | None:
    """What the address says under a name."""
    batch: Mapping[str, str | None] = st.session_state.get(_BATCH) or {}
    return batch[name] if name in batch else st.query_params.get(name)


def leads(name: str) -> bool:
    """True if the address decides in place of what the session keeps under this name."""
    how = st.session_state.get(_LEADS)
    return how == "back" or (how == "link" and linked(name) is not None)


def kept(name: str, key: str) -> str | None:
    """What is shown: what the session keeps under `key`, or what the address says if it leads."""
    own: str | None = None if leads(name) else st.session_state.get(key)
    return own if own is not None else linked(name)


def write(name: str, value: str | None) -> None:
    """Write a value into the address; None removes it."""
    batch: dict[str, str | None] | None = st.session_state.get(_BATCH)
    if batch is not None:
        batch[name] = value
        return
    if st.query_params.get(name) == value:
        return
    if value is None:
        del st.query_params[name]
    else:
        st.query_params[name] = value
    _remember()


def in_address(name: str, key: str, known: Sequence[Option], default: Option) -> None:
    """Keep a widget's value in the address under a name; called before the widget is drawn.

    Parameters
    ----------
    name
        Its name in the address.
    key
        The widget's key.
    known
        Its options, which the address has as text; what is not known becomes the default.
    default
        Shown if nothing else is asked for; not written.
    """
    options = {str(option): option for option in known}
    shown = options.get(str(kept(name, key)), default)
    st.session_state[key] = shown
    write(name, None if shown == default else str(shown))


def list_in_address(name: str, key: str, known: Sequence[str], default: Sequence[str]) -> None:
    """Keep what is chosen from a list in the address, divided by commas, as `in_address` does."""
    own: Sequence[str] | None = None if leads(name) else st.session_state.get(key)
    if own is None:
        text = linked(name)
        own = default if text is None else text.split(",")
    chosen = [option for option in own if option in known]
    st.session_state[key] = chosen
    write(name, None if chosen == list(default) else ",".join(chosen))


def _write_all() -> None:
    """Write what this run has changed, as one step of the browser's history if nothing is gone.

    Widgets that are bound to the query have changed it themselves; this is kept.
    """
    batch: dict[str, str | None] = st.session_state.pop(_BATCH, {})
    query = st.query_params.to_dict()
    for name in [name for name, value in batch.items() if value is None and name in query]:
        del st.query_params[name]
    changed = {n: v for n, v in batch.items() if v is not None and query.get(n) != v}
    if changed:
        st.query_params.update(changed)
    _remember()


def _remember() -> None:
    shown: list[tuple[str, dict[str, str]]] = st.session_state.setdefault(_SHOWN, [])
    here = (st.session_state.get(_PAGE, ""), st.query_params.to_dict())
    if not shown or shown[-1] != here:
        shown.append(here)
        del shown[:-_MOST]
        if _LEADS not in st.session_state:  # A step back may be followed by one forward at once.
            st.session_state[_WRITTEN] = time.monotonic()
