"""Times in lists are as short as they can be: the picker of runs has room for 26 letters."""

import time
from datetime import datetime

import pytest

from app.state.session import moment

NOW = datetime(2026, 11, 28, 9, 30)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (datetime(2026, 11, 28, 0, 5), "00:05"),
        (datetime(2026, 11, 27, 23, 55), "27 Nov 23:55"),
        (datetime(2026, 1, 2, 8, 0), "02 Jan 08:00"),
        (datetime(2025, 12, 31, 8, 0), "31 Dec 2025 08:00"),
    ],
)
def test_a_time_names_what_is_not_obvious(monkeypatch, when, text):
    monkeypatch.setattr(time, "time", NOW.timestamp)
    assert moment(when.timestamp()) == text
