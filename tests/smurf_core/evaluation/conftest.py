"""Results made by hand: predictions and contributions that a test decides."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import PRESETS, Configuration, RunConfig
from smurf_core.contributions import Contributions, FloatArray
from smurf_core.data.dataset import Features, Folds, MultimodalDataset
from smurf_core.explained import Explained, explained
from smurf_core.fitted import FittedModel
from smurf_core.results import FittedMember, FoldResult, RunResult
from smurf_core.scaling import Scaler
from tests.smurf_core.by_hand import square_terms

Member = Callable[[int], tuple[FloatArray, FloatArray]]  # fold → values, baseline


def make_dataset(
    target: np.ndarray, persons: np.ndarray | None = None, *, modalities: int = 3, folds: int = 5
) -> MultimodalDataset:
    """Samples without features that matter; samples of a person are tested by one fold."""
    n = len(target)
    units = np.arange(n) if persons is None else np.unique(persons, return_inverse=True)[1]
    is_class = np.issubdtype(target.dtype, np.integer)
    one = Features(np.zeros((n, 1), np.float32), ("x",))
    return MultimodalDataset(
        name="made by hand",
        task="classification" if is_class else "regression",
        features=dict.fromkeys("ABCDE"[:modalities], one),
        sample_ids=np.array([f"s{i:04d}" for i in range(n)]),
        target=target if is_class else target.astype(np.float32),
        target_name="y",
        class_names=tuple(f"c{c}" for c in range(target.max() + 1)) if is_class else (),
        persons=None if persons is None else persons.astype(str),
        folds=Folds.from_test_folds(units % folds, folds),
    )


def make_result(
    dataset: MultimodalDataset, member: Member, restarts: int = 1, seed_of_restart: int = 0
) -> RunResult:
    """A run whose folds' models contribute what `member` says of each fold (and restart)."""
    assert dataset.folds is not None
    configuration = Configuration(1e-3, (), 0.0, 0.5)
    results = []
    for fold in range(len(dataset.folds)):
        members = []
        for restart in range(restarts):
            values, baseline = member(fold + 100 * restart)
            terms, flat = square_terms(values, dataset.modalities)
            model = FittedModel(
                kind="smurf",
                task=dataset.task,
                modalities=dataset.modalities,
                features={name: features.names for name, features in dataset.features.items()},
                outputs=dataset.outputs,
                standardisation="none",
                scaler=Scaler({}, {}, {}, {}, {}),
                terms=terms,
                towers={},
                baseline=baseline,
            )
            members.append(FittedMember(configuration, restart, 1, 0.0, 0.0, model, flat))
        results.append(FoldResult(fold, pd.DataFrame(), pd.DataFrame(), tuple(members), 0))
    return RunResult(
        config=RunConfig(grid=PRESETS["quick"]),
        task=dataset.task,
        modalities=dataset.modalities,
        outputs=dataset.outputs,
        sample_ids=dataset.sample_ids,
        folds=dataset.folds,
        fold_results=tuple(results),
        data_fingerprint="",
        device="cpu",
        versions={},
        seconds=0.0,
    )


def predicts(dataset: MultimodalDataset, prediction: np.ndarray) -> RunResult:
    """A run that predicts [n] or logits [n, c], all of it from the first modality alone."""
    m, c = len(dataset.modalities), len(dataset.outputs)
    values = np.zeros((len(dataset), m, m, c), dtype=np.float32)
    values[:, 0, 0] = prediction.reshape(len(dataset), c)
    return make_result(dataset, lambda _: (values, np.zeros(c, np.float32)))


def explain(contributions: Contributions, persons: np.ndarray | None = None) -> Explained:
    """Contributions to samples that have these persons, and a target that does not matter."""
    n = len(contributions)
    dataset = MultimodalDataset(
        name="made by hand",
        task="classification" if contributions.is_classification else "regression",
        features=dict.fromkeys(
            contributions.modalities, Features(np.zeros((n, 1), np.float32), ("x",))
        ),
        sample_ids=contributions.sample_ids,
        target=np.zeros(n, np.int64 if contributions.is_classification else np.float32),
        target_name="y",
        class_names=contributions.outputs if contributions.is_classification else (),
        persons=persons,
    )
    return explained(contributions, dataset)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)
