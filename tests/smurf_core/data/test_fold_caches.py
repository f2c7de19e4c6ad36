"""The authors' earlier caches: a pickle for each partition of each fold."""

import pickle

import numpy as np
import pytest

from smurf_core.data.importing.assembly import StudyMapping, assemble, guess_mapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(30, 4)).astype(np.float32)
Y = RANDOM.normal(size=(30, 1)).astype(np.float32)
NAMES = ["openface_AU12", "openface_AU04", "roberta_0", "roberta_1"]
TESTED = np.arange(30) % 3  # the fold that tests each sample


def write(folder, study="SEWA_valence", *, numbers="_3_{}", x=X, y=Y, without=()):
    """As the authors' repository writes them: a batch per person, lists of one array."""
    for fold in range(3):
        parts = {
            "test": fold == TESTED,
            "validation": (fold + 1) % 3 == TESTED,
            "training": (fold + 2) % 3 == TESTED,
        }
        for name, members in parts.items():
            batches = [
                {"X": [x[rows]], "Y": [y[rows]], "meta_id": [np.full((len(rows), 1), person)]}
                for person in range(5)
                if len(
                    rows := np.setdiff1d(
                        np.flatnonzero(members & (np.arange(30) // 6 == person)), without
                    )
                )
            ]
            properties = {"X_names": np.array(NAMES), "Y_names": np.array(["valence"])}
            path = folder / f"{study}_{name}{numbers.format(fold)}.pickle"
            path.write_bytes(pickle.dumps((batches, properties)))


@pytest.mark.parametrize("numbers", ["_3_{}", "_{}"])
def test_pickles_of_the_folds_are_one_study(numbers, tmp_path):
    write(tmp_path, numbers=numbers)
    sources = find_sources([tmp_path])
    assembly = assemble(sources, guess_mapping(sources))
    dataset = assembly.dataset
    assert dataset.modalities == ("openface", "roberta")
    assert dataset.target_name == "valence"
    assert len(dataset) == 30
    assert len(assembly.sources) == 9
    # Samples are ordered by person, six each.
    order = [int(np.flatnonzero(X[:, 0] == v)[0]) for v in
             dataset.features["openface"].values[:, 0]]  # fmt: skip
    np.testing.assert_array_equal(np.sort(order), np.arange(30))
    np.testing.assert_array_equal(dataset.target, Y[order, 0])
    np.testing.assert_array_equal(dataset.features["roberta"].values, X[order][:, 2:])
    for fold in range(3):
        np.testing.assert_array_equal(dataset.folds.test[fold], TESTED[order] == fold)


def test_several_targets_of_caches_are_one_study(tmp_path):
    write(tmp_path)
    write(tmp_path, "SEWA_arousal", y=-Y, without=(7, 8))
    sources = find_sources([tmp_path])
    with pytest.raises(InputError, match="name the one to predict as target, or several"):
        assemble(sources, guess_mapping(sources))
    known = StudyMapping(target="SEWA_valence", targets=("SEWA_arousal",))
    assembly = assemble(sources, guess_mapping(sources, known))
    data = assembly.dataset
    assert data.target_names == ("valence", "arousal")
    further = data.further_targets["arousal"]
    np.testing.assert_array_equal(further.values[further.is_known], -data.target[further.is_known])
    lacking = data.features["openface"].values[~further.is_known]
    np.testing.assert_array_equal(np.sort(lacking[:, 0]), np.sort(X[[7, 8], 0]))
    assert len(data.with_target("arousal")) == 28
    assert "2 of 30 samples have no value of 'arousal'" in " ".join(map(str, assembly.problems))
    assert assembly.mapping.to_dict()["targets"] == ["SEWA_arousal"]


def test_targets_of_other_samples_are_no_further_targets(tmp_path):
    write(tmp_path)
    write(tmp_path, "SEWA_arousal", x=X + 1)
    sources = find_sources([tmp_path])
    known = StudyMapping(target="SEWA_valence", targets=("SEWA_arousal",))
    with pytest.raises(InputError, match="'SEWA_arousal' have other features"):
        assemble(sources, guess_mapping(sources, known))


def test_a_fold_without_one_of_its_partitions_is_refused(tmp_path):
    write(tmp_path)
    (tmp_path / "SEWA_valence_validation_3_1.pickle").unlink()
    with pytest.raises(InputError, match=r"fold 1: there is no file of its validation partition"):
        assemble(find_sources([tmp_path]))


def test_several_targets_are_to_be_named(tmp_path):
    write(tmp_path)
    write(tmp_path, "SEWA_arousal")
    with pytest.raises(InputError, match="2 targets"):
        assemble(find_sources([tmp_path]))
    mapping = StudyMapping(target="SEWA_arousal")
    assert assemble(find_sources([tmp_path]), mapping).dataset.target_name == "arousal"


class Harmful:
    def __reduce__(self):
        return (print, ("harm",))


def test_pickles_that_would_run_code_are_refused(tmp_path):
    write(tmp_path)
    path = tmp_path / "SEWA_valence_test_3_0.pickle"
    path.write_bytes(pickle.dumps(([Harmful()], {})))
    with pytest.raises(InputError, match=r"test_3_0\.pickle was not read: it asks for"):
        assemble(find_sources([tmp_path]))
