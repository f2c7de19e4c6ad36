"""Pickles, which could run code: the authors' caches, MMSA, and others."""

import pickle
import zipfile
from pathlib import Path

import numpy as np

from tests.broken_files.cases import CODE_RAN, RunsCode, case, good_table, of_bytes, of_csv


@case("study.pickle", "was not read", "system", "not data")
def _pickle_that_runs_code(folder):
    return of_bytes(folder, "study.pickle", pickle.dumps({"target": RunsCode(folder)}))


@case("study.pkl", "was not read", "system", "not data")
def _old_pickle_that_runs_code(folder):
    return of_bytes(folder, "study.pkl", pickle.dumps(RunsCode(folder), protocol=0))


@case("study.csv", "was not read", "system", "not data")
def _pickle_that_runs_code_called_csv(folder):
    return of_bytes(folder, "study.csv", pickle.dumps(RunsCode(folder)))


@case("study.pickle", "was not read", "system", "not data")
def _cache_that_runs_code(folder):
    with zipfile.ZipFile(folder / "study.pickle", "w") as archive:
        archive.writestr("study/data.pkl", pickle.dumps(RunsCode(folder)))
    return [folder / "study.pickle"]


@case("study.pickle", "was not read", "builtins.eval", "not data")
def _pickle_that_evaluates(folder):
    program = f"open({str(folder / CODE_RAN)!r}, 'w')"
    return of_bytes(folder, "study.pickle", b"cbuiltins\neval\n(V" + program.encode() + b"\ntR.")


@case("study.pickle", "not one of the authors' feature caches")
def _pickle_of_a_list(folder):
    return of_bytes(folder, "study.pickle", pickle.dumps([1, 2, 3]))


@case("study.pickle", "not one of the authors' feature caches", "training")
def _pickle_of_empty_folds(folder):
    return of_bytes(folder, "study.pickle", pickle.dumps({"valence": {0: {}}}))


@case("study.pickle", "damaged or cut off")
def _cut_pickle(folder):
    content = pickle.dumps({"valence": {0: {"training": np.zeros(100)}}})
    return of_bytes(folder, "study.pickle", content[:-300])


@case("study.pickle", "nested more than")
def _deep_pickle(folder):
    # As a key the innermost tuple would be hashed through all levels: a crash, not an error.
    return of_bytes(folder, "study.pickle", b"\x80\x02}(" + b")" + b"\x85" * 200_000 + b"K\1u.")


@case("study.pickle", "memo is larger")
def _pickle_with_an_endless_memo(folder):
    return of_bytes(folder, "study.pickle", b"\x80\x02]r\xff\xff\xff\x7f.")


@case("study.pickle", "bytes do not fit its shape")
def _pickle_with_an_endless_array(folder):
    content = pickle.dumps({"valence": np.zeros((100, 3), dtype=np.float32)}, protocol=2)
    assert content.count(b"KdK\x03\x86") == 1
    huge = b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86"  # (2³¹ − 1, 2³¹ − 1)
    return of_bytes(folder, "study.pickle", content.replace(b"KdK\x03\x86", huge))


@case("study.pt", "was not read", "torch")
def _torch_tensors(folder):
    program = b"\x80\x02}X\1\0\0\0a(X\7\0\0\0storageK\1tQs."
    with zipfile.ZipFile(folder / "study.pt", "w") as archive:
        archive.writestr("study/data.pkl", program)
    return [folder / "study.pt"]


@case("study.pickle", "whole study", "alone")
def _pickle_beside_a_table(folder):
    return of_bytes(folder, "study.pickle", pickle.dumps({})) + of_csv(folder, good_table())


def _mmsa(folder: Path, program: object) -> list[Path]:
    return of_bytes(folder, "study.pkl", pickle.dumps({"train": program}))


@case("study.pkl", "was not read", "system", "not data")
def _mmsa_that_runs_code(folder):
    return _mmsa(folder, {"text": RunsCode(folder)})


@case("study.pkl", "was not read", "nested more than")
def _deep_mmsa(folder):
    return of_bytes(
        folder, "study.pkl", b"\x80\x02}(X\5\0\0\0train(" + b")" + b"\x85" * 200_000 + b"tu."
    )


@case("study.pkl", "has 3 values for 24 samples")
def _mmsa_of_unequal_lengths(folder):
    labels = np.zeros(24)
    return _mmsa(folder, {"regression_labels": labels, "id": ["a"] * 3, "audio": np.zeros((24, 2))})


@case("study.pkl", "texts of usual length")
def _mmsa_of_one_text_a_million_times(folder):
    # 10 MB of pickle, 1 TB where every reference is copied.
    texts = ["x" * 10**7] * 100_000
    labels = np.zeros(100_000, dtype=np.float32)
    return _mmsa(folder, {"regression_labels": labels, "raw_text": texts})


@case("study.pkl", "not an array of numbers")
def _mmsa_whose_features_are_words(folder):
    return _mmsa(folder, {"regression_labels": np.zeros(24), "audio": np.array(["a"] * 24)})
