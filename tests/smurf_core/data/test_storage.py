import json
from dataclasses import dataclass, fields, replace
from mmap import mmap

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.dataset import Features, FurtherTarget, MultimodalDataset
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.storage import read_dataset, write_dataset
from smurf_core.durable import write_json
from smurf_core.errors import InputError
from smurf_core.training.workers import processes


def full_dataset() -> MultimodalDataset:
    """Every field in use: gaps, odd names, persons, folds, ratings, a table of mixed columns."""
    data = synthetic_additive(samples=20, modalities=2)
    ids = np.array([f"ß {i}/x" for i in range(20)])
    gaps = data.features["A"].values.copy()
    gaps[3] = np.nan
    table = {
        "transcript": ["a, b", None, "“quoted”\nline", *["x"] * 17],
        "start": np.linspace(0, 1, 20),
        "take": np.arange(20),
        "is_good": [True, False] * 10,
    }
    rating = np.where(np.arange(20) % 3 == 0, np.nan, 1.5).astype(np.float32)
    return replace(
        data,
        name="Größe / 10 %",
        features={"sound + ../voice": Features(gaps, ("f", "f")), "B": data.features["B"]},
        sample_ids=ids,
        persons=np.array([f"p{i // 4}" for i in range(20)]),
        samples=pd.DataFrame(table, index=pd.Index(ids, name="sample_id")),
        ratings={frozenset({"B"}): np.stack([rating, rating - 1])},
        judgments={frozenset({"B"}): rating, frozenset({"sound + ../voice", "B"}): rating + 1},
        informativeness={"B": np.arange(20) % 4 - 1},
        further_targets={
            "arousal": FurtherTarget("regression", rating),
            "mood": FurtherTarget("classification", np.arange(20) % 3 - 1, ("low", "high")),
        },
        notes=("one", "two"),
    )


def assert_equal_datasets(first: MultimodalDataset, second: MultimodalDataset) -> None:
    for field in fields(MultimodalDataset):
        a, b = getattr(first, field.name), getattr(second, field.name)
        if field.name == "features":
            assert list(a) == list(b)
            for name in a:
                assert a[name].names == b[name].names
                assert a[name].values.dtype == b[name].values.dtype
                np.testing.assert_array_equal(a[name].values, b[name].values)
        elif field.name == "further_targets":
            assert list(a) == list(b)
            for name in a:
                assert (a[name].task, a[name].class_names) == (b[name].task, b[name].class_names)
                assert a[name].values.dtype == b[name].values.dtype
                np.testing.assert_array_equal(a[name].values, b[name].values)
        elif field.name == "samples":
            pd.testing.assert_frame_equal(a, b)
        elif field.name == "folds":
            for role in ("training", "validation", "test"):
                np.testing.assert_array_equal(getattr(a, role), getattr(b, role))
        elif isinstance(a, dict):
            assert list(a) == list(b)
            for key in a:
                assert a[key].dtype == b[key].dtype
                np.testing.assert_array_equal(a[key], b[key])
        elif isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b


@pytest.mark.parametrize(
    "dataset",
    [full_dataset(), synthetic_additive(samples=20, task="classification")],
    ids=["everything", "classes"],
)
def test_data_set_is_read_back_equal_in_every_field(dataset, tmp_path):
    write_dataset(dataset, tmp_path / "study")
    again = read_dataset(tmp_path / "study")
    assert_equal_datasets(dataset, again)
    assert again.fingerprint == dataset.fingerprint


def test_data_set_without_folds_and_persons_is_read_back_without(tmp_path):
    write_dataset(replace(synthetic_additive(samples=20), folds=None), tmp_path / "study")
    again = read_dataset(tmp_path / "study")
    assert again.folds is None
    assert again.persons is None


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    data = synthetic_additive(samples=20)
    mixed = pd.DataFrame({"x": [object()] * 20}, index=pd.Index(data.sample_ids))
    with pytest.raises(ValueError, match="object"):
        write_dataset(replace(data, samples=mixed), tmp_path / "study")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over_a_study(tmp_path):
    write_dataset(synthetic_additive(samples=20), tmp_path / "study")
    with pytest.raises(FileExistsError):
        write_dataset(synthetic_additive(samples=20), tmp_path / "study")


def test_damaged_study_is_refused_with_a_sentence(tmp_path):
    write_dataset(synthetic_additive(samples=20), tmp_path / "study")
    (tmp_path / "study" / "columns.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="import its files again"):
        read_dataset(tmp_path / "study")


def test_changed_study_is_refused(tmp_path):
    write_dataset(synthetic_additive(samples=20), tmp_path / "study")
    path = tmp_path / "study" / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "target_name": "z"}))
    with pytest.raises(InputError, match="not the one that was written"):
        read_dataset(tmp_path / "study")


def test_study_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="FileNotFoundError"):
        read_dataset(tmp_path / "study")


def mapping_of(values):
    """The map of a file that an array is a view of; None for an array in memory."""
    while isinstance(values, np.ndarray):
        values = values.base
    return values if isinstance(values, mmap) else None


def test_features_are_mapped_here_and_in_the_processes_that_train(tmp_path):
    write_dataset(synthetic_additive(samples=20_000), tmp_path / "study")
    values = [f.values for f in read_dataset(tmp_path / "study").features.values()]
    assert all(mapping_of(x) is not None for x in values)
    with processes(2) as workers:
        found = list(workers.each(Mapped(values), "names", [(0,), (1,)]))
    # The study's own file, and no copy of it elsewhere.
    assert found == [[str(tmp_path / "study" / f"features_{i}.npy") for i in range(3)]] * 2


@dataclass(frozen=True)
class Mapped:
    """What processes are given in place of a plan."""

    values: list

    def names(self, _):
        found = []
        for values in self.values:
            while not isinstance(values, np.memmap):
                values = values.base
            found.append(str(values.filename))
        return found


def test_a_change_in_memory_stays_out_of_the_file(tmp_path):
    write_dataset(synthetic_additive(samples=20), tmp_path / "study")
    before = read_dataset(tmp_path / "study")
    next(iter(before.features.values())).values[0] = 7
    assert read_dataset(tmp_path / "study").fingerprint != before.fingerprint


def test_study_without_arrays_to_map_is_read_as_before(tmp_path):
    dataset = synthetic_additive(samples=20)
    write_dataset(dataset, tmp_path / "study")
    path = tmp_path / "study" / "dataset.json"
    found = json.loads(path.read_text())
    for array in (tmp_path / "study").glob("*.npy"):
        array.unlink()
        del found["checksums"][array.name]
    del found["checksum"]
    path.unlink()
    write_json(found, path)
    assert_equal_datasets(dataset, read_dataset(tmp_path / "study"))


def test_changed_array_is_refused(tmp_path):
    write_dataset(synthetic_additive(samples=20), tmp_path / "study")
    path = tmp_path / "study" / "features_0.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="not the one that was written"):
        read_dataset(tmp_path / "study")
