"""An error that no page expects: one sentence for the user, and where it was raised for the log."""

from __future__ import annotations

import logging
import secrets
import traceback

import streamlit as st
from streamlit.logger import get_logger
from streamlit.runtime.scriptrunner import get_script_run_ctx

_LOG = get_logger("smurf_studio")


def show_unforeseen(error: Exception) -> bool:
    """Show one sentence with a reference to the log, and log where the error was raised.

    Returns
    -------
    bool
        True: this replaces what Streamlit would show.
    """
    from app.state.session import RUN, STUDY  # here: the server starts without pandas

    reference = secrets.token_hex(4)
    context = get_script_run_ctx()
    _LOG.error(
        "Error %s in session %s, study %s, run %s\n%s",
        reference,
        # The whole name would let others continue the session.
        context.session_id[:8] if context else None,
        st.session_state.get(STUDY),
        st.session_state.get(RUN),
        where_raised(error),
    )
    st.error(
        "This page stopped at an unexpected error: reload it and, if that does not help, report "
        f"entry {reference} of the server's log."
    )
    return True


def where_raised(error: BaseException) -> str:
    """A traceback without the error's words, which may be content of samples."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    frames = "".join(traceback.format_tb(error.__traceback__))
    own = f"Traceback (most recent call last):\n{frames}{type(error).__name__}"
    return f"{where_raised(before)}\n\n{own}" if before else own


def replace_streamlits_entry() -> None:
    """Keep Streamlit's own entry, which has the error's words, out of the log."""
    logging.getLogger("streamlit.error_util").addFilter(
        lambda entry: entry.msg != "Uncaught app execution"
    )
