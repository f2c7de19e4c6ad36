"""Simulated data sets whose true contributions are known."""

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.generated.synthetic import (
    synthetic_additive,
    synthetic_interactions,
    synthetic_noisy,
)

__all__ = ["simulated_affect", "synthetic_additive", "synthetic_interactions", "synthetic_noisy"]
