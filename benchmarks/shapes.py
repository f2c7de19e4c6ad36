"""How long the curves of features take: `python -m benchmarks.shapes`.

Prints seconds of processor time for refits that are made again, for the order of features, and
for one curve, of a run on simulated data with 25,000 samples of 400 persons and 30 features per
modality.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.exclusive.redone import refitted_folds
from smurf_core.shapes import feature_rises, shapes
from smurf_core.training.run import train_run

SAMPLES, FEATURES, PERSONS = 25_000, 30, 400
Found = TypeVar("Found")


def timed(what: str, call: Callable[[], Found]) -> Found:
    """The result of a call, whose processor time is printed."""
    start = time.process_time()
    found = call()
    print(f"{what}: {time.process_time() - start:.2f} s")
    return found


def main() -> None:
    """Train once, and time what the tab *Features* asks for."""
    random = np.random.default_rng(0)
    data = synthetic_additive(samples=SAMPLES)
    features = {}
    for name, given in data.features.items():
        more = FEATURES - len(given.names)
        noise = random.standard_normal((SAMPLES, more)).astype(np.float32)
        features[name] = replace(
            given,
            values=np.concatenate([given.values, noise], axis=1),
            names=(*given.names, *(f"noise {k}" for k in range(more))),
        )
    persons = np.array([f"p{i % PERSONS}" for i in range(SAMPLES)])
    data = replace(data, features=features, persons=persons, folds=None)
    config = replace(
        RunConfig.from_preset("quick", "exclusive"),
        preset="custom",
        grid=Grid((1e-2,), ((),), (0.0,), (1.0,)),
    )
    result = train_run(data, config, jobs=1)
    feature = data.features["A"].names[0]
    refitted = timed("refits, once per run", lambda: refitted_folds(result, data))
    timed("order of the features", lambda: feature_rises(result, data, "A"))
    timed("one curve", lambda: shapes(result, data, "A", feature, refitted=refitted))


if __name__ == "__main__":
    main()
