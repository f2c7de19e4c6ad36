"""Workspaces of the app's tests."""

import pytest


@pytest.fixture
def home(synthetic_home):
    """Pages are opened on a workspace with a study, unless a test is about the first start."""
    return synthetic_home
