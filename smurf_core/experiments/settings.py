"""The settings of synthetic data in which the true factors are looked for. Imports no torch."""

from __future__ import annotations

from typing import Literal, get_args

Setting = Literal[
    "bimodal", "trimodal", "four", "five", "classes", "none", "partial", "only", "noisy",
    "non_additive",
]  # fmt: skip
SETTINGS: tuple[Setting, ...] = get_args(Setting)
