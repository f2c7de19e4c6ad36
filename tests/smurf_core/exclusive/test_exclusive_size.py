"""Principal components of many samples: the same numbers, without a copy in float64."""

import tracemalloc

import numpy as np
import pytest

from smurf_core.exclusive import sources
from smurf_core.exclusive.sources import rotated


def _inputs(n, d):
    random = np.random.default_rng(0)
    scales = np.linspace(3, 0.5, d)
    inputs = {m: (random.normal(size=(n, d)) * scales).astype(np.float32) for m in ("a", "b")}
    present = np.ones((n, 2), dtype=bool)
    present[::7, 1] = False
    inputs["b"][::7] = 0
    return inputs, present, np.arange(n) % 5 > 0


@pytest.mark.parametrize(("n", "d"), [(60, 9), (30, 50)])
def test_components_from_pieces_are_those_of_a_singular_value_decomposition(monkeypatch, n, d):
    inputs, present, training = _inputs(n, d)
    monkeypatch.setattr(sources, "_PIECE", 4 * d)  # four samples at a time
    found = rotated(inputs, present, training)
    for i, name in enumerate(inputs):
        values = inputs[name].astype(np.float64)
        learned = values[training & present[:, i]]
        centred = np.where(present[:, [i]], values - learned.mean(axis=0), 0.0)
        axes = np.linalg.svd(learned - learned.mean(axis=0), full_matrices=False)[2]
        expected = centred @ axes[: found.widths[i]].T
        np.testing.assert_allclose(np.abs(found.values[name]), np.abs(expected), atol=1e-6)


def test_no_modality_is_held_in_double_precision(monkeypatch):
    inputs, present, training = _inputs(8_000, 300)
    monkeypatch.setattr(sources, "_PIECE", 100_000)
    tracemalloc.start()
    rotated(inputs, present, training, most=4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One modality in float64 is 19 MB; this used to hold three at a time.
    assert peak < 8_000 * 300 * 8 / 2
