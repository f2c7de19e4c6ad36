"""Studies that several pages are tested on."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import psutil
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import store
from tests.studio import trained


@pytest.fixture(scope="session", autouse=True)
def _components_once(components_once):
    """For tests that make an `AppTest` of their own."""


@pytest.fixture(autouse=True)
def _no_worker_goes_on() -> Iterator[None]:
    """A worker that a page started ends with the test: it would train beside all others."""
    yield
    for process in psutil.Process().children():
        with suppress(psutil.Error):
            if "smurf_core.processes.worker" in process.cmdline():
                process.kill()


@pytest.fixture
def home(synthetic_home):
    """Pages are opened on a workspace with a study, unless a test is about the first start."""
    return synthetic_home


@pytest.fixture
def grouped(home):
    """A study whose people come in two groups, with a SMURF run; its run."""
    data = synthetic_additive(samples=80)
    sex = pd.DataFrame({"sex": np.repeat(["f", "m"], 40)}, index=data.sample_ids)
    people = np.repeat([f"p{i}" for i in range(16)], 5)
    trained(home, replace(data, persons=people, samples=sex), "smurf")
    return store.list_runs(home)[0]


@pytest.fixture
def judged(home) -> str:
    """A trained study with transcripts, persons, judgments, informativeness, and raters."""
    random = np.random.default_rng(0)
    data = synthetic_additive(samples=80)
    ratings = {
        frozenset(shown): (data.target + random.normal(size=80)).astype(np.float32)
        for shown in ("AB", "C")
    }
    ratings[frozenset("C")][:30] = np.nan
    table = pd.DataFrame(
        {
            "transcript": [f"he said word{i}" for i in range(80)],
            "scene": [f"scene {i % 3}" for i in range(80)],
        },
        index=data.sample_ids,
    )
    data = replace(
        data,
        samples=table,
        persons=np.repeat([f"p{i}" for i in range(16)], 5),
        judgments=ratings,
        ratings={frozenset("AB"): (data.target + random.normal(size=(3, 80))).astype(np.float32)},
        informativeness={"A": random.integers(-1, 3, size=80)},
    )
    return trained(home, data, "smurf")
