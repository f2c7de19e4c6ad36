"""Lags and agreement of traces by simulated raters: what is recovered, and what noise is taken for.

`python -m benchmarks.trace_lags` prints a row per cell. Raters with a common course have known
lags; raters of noise have none, so that every lag of theirs is a false one. The
standard error of a share of 0.05 is 0.02 with 100 collections.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from smurf_core.ratings.traces.collected import ClipTraces
from smurf_core.ratings.traces.course import known_lags, trace_agreement
from smurf_core.ratings.traces.lag import trace_lags

Array = npt.NDArray[np.float64]


def slow_noise(random: np.random.Generator, shape: tuple[int, int], seconds: float) -> Array:
    """Normal noise whose values are remembered for some seconds; a random walk for infinity."""
    keeps = np.exp(-0.1 / seconds)
    steps = random.normal(size=shape)
    found = steps.copy()
    for k in range(1, shape[1]):
        found[:, k] = keeps * found[:, k - 1] + np.sqrt(1 - keeps**2 or 1.0) * steps[:, k]
    return found


def traced(
    random: np.random.Generator, clips: int, length: float, lags: Array, share: float, memory: float
) -> list[ClipTraces]:
    """Clips whose traces are a common course, late by `lags`, and noise of each rater."""
    found = []
    late = np.round(lags * 10).astype(int)
    for k in range(clips):
        size = round(length * 10) + 1
        common = slow_noise(random, (1, size + 100), memory)[0]
        own = slow_noise(random, (len(lags), size), memory)
        signal = np.stack([common[100 - step : 100 - step + size] for step in late])
        values = np.sqrt(share) * signal + np.sqrt(1 - share) * own
        values += random.normal(size=(len(lags), 1))
        found.append(ClipTraces(f"c{k}", length, np.arange(1, len(lags) + 1), values))
    return found


def main() -> None:
    """Print both tables."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--collections", type=int, default=100)
    asked.add_argument("--draws", type=int, default=199)
    options = asked.parse_args()
    print("noise: clips seconds memory | a lag is given | agreement above 0 | both")
    for clips, length, memory in (
        (1, 60, 2), (1, 60, 8), (1, 60, np.inf), (5, 60, 2), (5, 60, np.inf), (40, 3, 2),
        (40, 1.2, 2),
    ):  # fmt: skip
        lagged = agreed = both = 0
        for k in range(options.collections):
            random = np.random.default_rng([k, 1])
            noise = traced(random, clips, length, np.zeros(3), 0.0, memory)
            lags = trace_lags(noise, draws=options.draws)
            agreement = trace_agreement(noise, known_lags(lags), draws=500)
            has_lag = (lags["verdict"].isin(["lag", "bound"])).any()
            lagged += has_lag
            agreed += agreement.is_agreed
            both += has_lag and agreement.is_agreed
        shares = [v / options.collections for v in (lagged, agreed, both)]
        print(clips, length, memory, "|", *shares, flush=True)
    print("lags: clips seconds raters share | given | mean error s | 95% of errors | r, low, high")
    for clips, length, raters, share in ((1, 60, 3, 0.5), (1, 60, 5, 0.5), (5, 60, 5, 0.5),
                                         (5, 60, 5, 0.2), (40, 8, 4, 0.5)):  # fmt: skip
        errors, given, found = [], 0, []
        for k in range(options.collections // 2):
            random = np.random.default_rng([k, 2])
            true = random.uniform(1, 4, size=raters).round(1)
            signal = traced(random, clips, length, true, share, 2.0)
            lags = trace_lags(signal, draws=options.draws)
            known = known_lags(lags)
            given += len(known)
            if len(known) > 1:
                at = np.array([true[r - 1] for r in known])
                errors += np.abs(np.array(list(known.values())) - (at - at.mean())).tolist()
            agreement = trace_agreement(signal, known, draws=500)
            found.append((agreement.r, agreement.low, agreement.high))
        all_raters = raters * (options.collections // 2)
        print(clips, length, raters, share, "|", round(given / all_raters, 3),
              round(float(np.mean(errors)), 3), round(float(np.quantile(errors, 0.95)), 2),
              np.nanmean(found, axis=0).round(2), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
