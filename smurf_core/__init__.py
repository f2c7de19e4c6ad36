"""SMURF: what each modality contributes to a prediction, alone and with others (ICMI 2024).

The library behind SMURF Studio. Everything listed in `__all__` is loaded when it is first used:
importing the package does not import torch, plotly or scikit-learn, and no part of it imports a
user interface.

Examples
--------
>>> import smurf_core as smurf
>>> data = smurf.datasets.synthetic_additive(samples=120)
>>> data.modalities
('A', 'B', 'C')
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

# Public name → where it is; an empty attribute is the module itself.
_WHERE = {
    "Contributions": ("smurf_core.contributions", "Contributions"),
    "Dataset": ("smurf_core.data.dataset", "MultimodalDataset"),
    "Explained": ("smurf_core.explained", "Explained"),
    "Features": ("smurf_core.data.dataset", "Features"),
    "FittedModel": ("smurf_core.fitted", "FittedModel"),
    "InputError": ("smurf_core.errors", "InputError"),
    "NewSamples": ("smurf_core.data.dataset", "NewSamples"),
    "Predictions": ("smurf_core.predictions", "Predictions"),
    "RunConfig": ("smurf_core.configuration", "RunConfig"),
    "RunResult": ("smurf_core.results", "RunResult"),
    "SmurfClassifier": ("smurf_core.estimator", "SmurfClassifier"),
    "SmurfRegressor": ("smurf_core.estimator", "SmurfRegressor"),
    "Term": ("smurf_core.terms", "Term"),
    "datasets": ("smurf_core.datasets", ""),
    "evaluate": ("smurf_core.evaluate", ""),
    "load_run": ("smurf_core.library", "load_run"),
    "plot": ("smurf_core.plot", ""),
    "read": ("smurf_core.library", "read"),
    "read_new": ("smurf_core.library", "read_new"),
    "save_run": ("smurf_core.library", "save_run"),
    "train": ("smurf_core.library", "train"),
}
__all__ = [
    "Contributions", "Dataset", "Explained", "Features", "FittedModel", "InputError", "NewSamples",
    "Predictions", "RunConfig", "RunResult", "SmurfClassifier", "SmurfRegressor", "Term",
    "datasets", "evaluate", "load_run", "plot", "read", "read_new", "save_run", "train",
]  # fmt: skip

if TYPE_CHECKING:
    from smurf_core import datasets, evaluate, plot
    from smurf_core.configuration import RunConfig
    from smurf_core.contributions import Contributions
    from smurf_core.data.dataset import Features, NewSamples
    from smurf_core.data.dataset import MultimodalDataset as Dataset
    from smurf_core.errors import InputError
    from smurf_core.estimator import SmurfClassifier, SmurfRegressor
    from smurf_core.explained import Explained
    from smurf_core.fitted import FittedModel
    from smurf_core.library import load_run, read, read_new, save_run, train
    from smurf_core.predictions import Predictions
    from smurf_core.results import RunResult
    from smurf_core.terms import Term


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'smurf_core' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    found = import_module(module)
    found = getattr(found, attribute) if attribute else found
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
