"""The person of this session: the one of a machine, or the one that a sign-in or a proxy names.

Without a sign-in, a server that is not bound to this machine alone asks for the key of its start.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from smurf_core.errors import InputError
from smurf_core.people.person import LOCAL, Person, checked_name

HEADER_VARIABLE = "SMURF_TRUSTED_HEADER"  # names the header in which a proxy says who it is
OPEN_VARIABLE = "SMURF_OPEN"  # "1": a proxy checks passwords, and all have the same rights
KEY_VARIABLE = "SMURF_KEY"  # the key in place of a random one
KEY = "key"  # the query parameter
_NOT_SIGNED_IN = "Sign in to see your studies."


@cache
def sign_ins() -> tuple[str, ...] | None:
    """The providers that `secrets.toml` configures ("" for a single one); None if it has none.

    Read once, when the server starts. Raises `InputError` if there is a file that cannot be read:
    nobody is let in without the sign-in that it may ask for.
    """
    try:
        section = st.secrets.get("auth")
    except StreamlitSecretNotFoundError as error:
        there = [name for name in st.get_option("secrets.files") if Path(name).exists()]
        if there:
            raise InputError(f"{there[0]} cannot be read: correct it and start again.") from error
        return None
    if not section:
        return None
    if "client_id" in section:
        return ("",)
    return tuple(str(name) for name, value in section.items() if isinstance(value, Mapping))


def is_shared() -> bool:
    """True if persons sign in; False where everybody who reaches the app is the same person."""
    return bool(os.environ.get(HEADER_VARIABLE)) or sign_ins() is not None


def current_person() -> Person:
    """Who acts in this session.

    Raises
    ------
    InputError
        If persons sign in, and this one has not, or has no usable name. Nobody takes their place.
    """
    if header := os.environ.get(HEADER_VARIABLE):
        name = st.context.headers.get(header)
        if not name:
            raise InputError(
                f"The proxy of this server has not said who you are (header {header}): reach the "
                "app through the proxy."
            )
        return Person(checked_name(name))
    if sign_ins() is None:
        return LOCAL
    if st.user.get("is_logged_in") is not True:
        raise InputError(_NOT_SIGNED_IN)
    email = st.user.get("email")
    if not isinstance(email, str) or st.user.get("email_verified", True) is not True:
        raise InputError("Your sign-in gave no confirmed e-mail address: ask who runs this server.")
    return Person(checked_name(email))


def admitted() -> bool:
    """Show what a visitor must do first, and return False; True if they may see the app."""
    try:
        if is_shared():
            current_person()
            return True
    except InputError as error:
        _ask_to_sign_in(str(error))
        return False
    if os.environ.get(OPEN_VARIABLE) == "1" or is_loopback(st.get_option("server.address")):
        return True
    given = st.query_params.get(KEY, st.session_state.get(KEY, ""))
    if not secrets.compare_digest(str(given).encode(), start_key().encode()):
        st.warning("Open the address with the key that the terminal of this server shows.")
        return False
    st.session_state[KEY] = st.query_params[KEY] = given  # A reload needs it again.
    return True


def is_loopback(address: object) -> bool:
    """True if a server that is bound to this address is reached from its own machine only."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(address)).is_loopback
    except ValueError:  # No address: all interfaces.
        return False


@st.cache_resource(show_spinner=False)
def start_key() -> str:
    """The key of this start of the server, which is printed once."""
    if key := os.environ.get(KEY_VARIABLE):
        return key
    key = secrets.token_urlsafe(24)
    port = st.get_option("server.port")
    sys.stdout.write(
        f"\n  This server can be reached from other machines. Its key: ?{KEY}={key}\n"
        f"  For example http://localhost:{port}/?{KEY}={key}\n\n"
    )
    sys.stdout.flush()
    return key


def sign_out_button() -> None:
    """Who is signed in, and the button that ends it; nothing where nobody signs in."""
    if not is_shared():
        return
    st.text(current_person().name)
    if sign_ins() is not None and not os.environ.get(HEADER_VARIABLE):
        st.button("Sign out", key="sign_out", icon=":material/logout:", on_click=st.logout)


def _ask_to_sign_in(sentence: str) -> None:
    st.title("SMURF Studio", anchor=False)
    st.text(sentence)
    if os.environ.get(HEADER_VARIABLE):
        return
    with suppress(InputError):
        _sign_in_buttons()


def _sign_in_buttons() -> None:
    for provider in sign_ins() or ():
        st.button(
            f"Sign in with {provider}" if provider else "Sign in",
            key=f"sign_in_{provider}", type="primary", icon=":material/login:",
            on_click=st.login, args=(provider,) if provider else (),
        )  # fmt: skip
    if st.user.get("is_logged_in") is True:  # With an account that cannot be used.
        st.button("Sign out", key="sign_out", icon=":material/logout:", on_click=st.logout)
