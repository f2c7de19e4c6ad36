"""Who acts in a session: never the machine's own person where somebody must sign in."""

import pytest
import streamlit as st
from streamlit import config

from app.state.people import current_person, is_loopback, sign_ins
from smurf_core.errors import InputError
from smurf_core.people.person import LOCAL


@pytest.fixture(autouse=True)
def asked_again():
    sign_ins.cache_clear()
    yield
    sign_ins.cache_clear()
    st.secrets._reset()


def test_without_a_configuration_there_is_one_person():
    assert sign_ins() is None
    assert current_person() is LOCAL


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.8.8.8", True),
        ("0.0.0.0", False), ("::", False), ("", False), (None, False), ("lab.example.org", False),
    ],
)  # fmt: skip
def test_only_loopback_addresses_are_of_this_machine_alone(address, expected):
    assert is_loopback(address) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[auth]\nclient_id = 'a'\n", "Sign in to see your studies"),
        ("[auth.lab]\nclient_id = 'a'\n", "Sign in to see your studies"),
        ("[auth\n", "cannot be read: correct it and start again"),
    ],
)
def test_a_sign_in_that_is_configured_or_torn_lets_nobody_in_without_it(tmp_path, text, sentence):
    path = tmp_path / "secrets.toml"
    path.write_text(text, encoding="utf-8")
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(path)])
    st.secrets._reset()
    try:
        with pytest.raises(InputError, match=sentence):
            current_person()
    finally:
        config.set_option("secrets.files", before)
