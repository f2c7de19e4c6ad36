"""Files that users give by mistake or with bad intent, made when a test asks for them.

`BROKEN_FILES` holds for each what it must be told: most are refused with one clear sentence, and
some are read correctly with a problem that says what was done. The library, the command line and
the app are all tested with the same table.
"""

from __future__ import annotations

import copy
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

# A pickle that runs code writes a file of this name beside itself.
CODE_RAN = "code_ran"


@dataclass(frozen=True)
class BrokenFile:
    """A case: `make` writes files into a folder and returns those that the user gives."""

    name: str
    make: Callable[[Path], list[Path]]
    words: tuple[str, ...]  # what the message, or a problem, must contain
    is_read: bool = False  # read, and told as a problem; refused otherwise


def good_table(rows: int = 24) -> pd.DataFrame:
    """A small table with which nothing is wrong: 2 classes, 6 persons, 2 modalities."""
    random = np.random.default_rng(0)
    columns = {
        "sample_id": [f"s{i:02d}" for i in range(rows)],
        "person": [f"p{i // 4}" for i in range(rows)],
        "label": ["calm" if i % 2 else "tense" for i in range(rows)],
    }
    for name in ("audio_pitch", "audio_energy", "audio_rate", "video_smile", "video_brow"):
        columns[name] = random.normal(size=rows).round(6)
    return pd.DataFrame(columns)


BROKEN_FILES: list[BrokenFile] = []
_Make = Callable[[Path], list[Path]]


def _case(*words: str, is_read: bool = False) -> Callable[[_Make], _Make]:
    def add(make: _Make) -> _Make:
        name = make.__name__.strip("_")
        BROKEN_FILES.append(BrokenFile(name, make, words, is_read))
        return make

    return add


def _bytes(folder: Path, name: str, content: bytes) -> list[Path]:
    (folder / name).write_bytes(content)
    return [folder / name]


def _csv(folder: Path, table: pd.DataFrame, name: str = "study.csv", **options) -> list[Path]:
    table.to_csv(folder / name, index=False, **options)
    return [folder / name]


def _with(column: str, row: int, value: object) -> pd.DataFrame:
    table = good_table()
    table[column] = table[column].astype(object)
    table.loc[row, column] = value
    return table


# Text tables that are no tables


@_case("study.csv", "is empty")
def _empty_file(folder):
    return _bytes(folder, "study.csv", b"")


@_case("study.csv", "nothing but blanks")
def _blank_file(folder):
    return _bytes(folder, "study.csv", b"  \n\n \n")


@_case("study.csv", "no rows below")
def _header_alone(folder):
    return _csv(folder, good_table().iloc[:0])


@_case("study.csv", "only one column", "comma, semicolon or tab")
def _unknown_delimiter(folder):
    return _csv(folder, good_table(), sep="^")


@_case("study.csv", "starts with a row of numbers", "header line")
def _no_header(folder):
    table = good_table()[["audio_pitch", "audio_energy", "video_smile"]]
    return _csv(folder, table, header=False)


@_case("study.csv", "no kind that is read")
def _binary(folder):
    return _bytes(folder, "study.csv", bytes(range(256)) * 20)


@_case("study.csv", "no kind that is read")
def _image_called_csv(folder):
    return _bytes(folder, "study.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\1\2" * 99)


@_case("study.csv", "no kind that is read")
def _zip_called_csv(folder):
    with zipfile.ZipFile(folder / "study.csv", "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    return [folder / "study.csv"]


@_case("study.csv", "only one column")
def _json_called_csv(folder):
    return _bytes(folder, "study.csv", b'{"audio_pitch": 1}\n')


@_case("study.csv", "only one column")
def _web_page_called_csv(folder):
    return _bytes(folder, "study.csv", b"<!DOCTYPE html>\n<html><body>Log in</body></html>\n")


@_case("study.csv", "row 7", "9 cells", "8 columns")
def _ragged_row(folder):
    lines = good_table().to_csv(index=False).splitlines()
    lines[7] += ",0.5"
    return _bytes(folder, "study.csv", "\n".join(lines).encode())


@_case("study.csv", "row 20", "quote")
def _quote_never_closed(folder):
    lines = good_table().to_csv(index=False).splitlines()
    lines[20] = '"' + lines[20]
    return _bytes(folder, "study.csv", "\n".join(lines).encode())


@_case("study.csv", "more than once", "audio_pitch")
def _repeated_column_name(folder):
    table = good_table()
    table.columns = ["sample_id", "person", "label", "audio_pitch", "audio_pitch", "a", "b", "c"]
    return _csv(folder, table)


@_case("study.csv", "60,000 columns", "at most")
def _huge_header(folder):
    names = ",".join(f"audio_{i}" for i in range(60_000))
    return _bytes(folder, "study.csv", f"{names}\n{names}\n".encode())


@_case("study.csv", "not text in a known encoding")
def _half_a_utf16_file(folder):
    return _bytes(folder, "study.csv", good_table().to_csv(index=False).encode("utf-16")[:-1])


@_case("Several files are called", "study.csv")
def _one_name_twice(folder):
    (folder / "other").mkdir()
    return _csv(folder, good_table()) + _csv(folder / "other", good_table())


# Tables with something wrong inside


@_case("study.csv", "column 'audio_energy'", "row 5", "'loud'", "number")
def _text_in_a_feature(folder):
    return _csv(folder, _with("audio_energy", 4, "loud"))


@_case("study.csv", "column 'video_brow'", "row 3", "'1,5'")
def _decimal_comma_in_quotes(folder):
    return _csv(folder, _with("video_brow", 2, "1,5"))


@_case("study.csv", "column 'sample_id'", "rows 2 and 9", "'s01'", "twice")
def _repeated_id(folder):
    table = good_table()
    table.loc[8, "sample_id"] = "s01"
    table = table.assign(**{"id": range(24)})[["sample_id", *table.columns[1:]]]
    features = good_table()[["sample_id", "audio_pitch", "audio_rate"]]
    labels = table[["sample_id", "person", "label", "video_smile", "video_brow"]]
    return _csv(folder, features, "audio.csv") + _csv(folder, labels)


@_case("study.csv", "column 'sample_id'", "row 6", "missing")
def _missing_id(folder):
    return _csv(folder, _with("sample_id", 5, None))


@_case("audio.csv", "labels.csv", "no sample id in common", "'x00'", "'s00'")
def _ids_that_never_match(folder):
    table = good_table()
    audio = table[["sample_id", "audio_pitch", "audio_rate"]].assign(
        sample_id=[f"x{i:02d}" for i in range(24)]
    )
    labels = table.drop(columns=["audio_pitch", "audio_energy", "audio_rate"])
    return _csv(folder, audio, "audio.csv") + _csv(folder, labels, "labels.csv")


@_case("audio.csv has 23 rows", "labels.csv has 24", "sample ids")
def _no_ids_and_unequal_lengths(folder):
    table = good_table().drop(columns="sample_id")
    audio = table[["audio_pitch", "audio_rate"]].iloc[:-1]
    labels = table.drop(columns=["audio_pitch", "audio_energy", "audio_rate"])
    return _csv(folder, audio, "audio.csv") + _csv(folder, labels, "labels.csv")


@_case("video.csv", "no column 'sample_id'", "match samples")
def _id_column_in_one_file_alone(folder):
    table = good_table()
    audio = table[["sample_id", "audio_pitch", "audio_rate"]]
    labels = table[["sample_id", "person", "label"]]
    video = table[["video_smile", "video_brow"]]
    return (
        _csv(folder, audio, "audio.csv")
        + _csv(folder, labels, "labels.csv")
        + _csv(folder, video, "video.csv")
    )


@_case("study.csv", "no column is called like a target")
def _no_target(folder):
    return _csv(folder, good_table().drop(columns="label"))


@_case("study.csv", "column 'label'", "every sample is of class 'calm'")
def _one_class(folder):
    return _csv(folder, good_table().assign(label="calm"))


@_case("study.csv", "column 'label'", "0.5 for every sample")
def _constant_target(folder):
    return _csv(folder, good_table().assign(label=0.5))


@_case("study.csv", "24 different values for 24 samples")
def _names_for_a_target(folder):
    return _csv(folder, good_table().assign(label=[f"take {i}" for i in range(24)]))


@_case("study.csv", "all 24 samples have no target")
def _target_without_values(folder):
    return _csv(folder, good_table().assign(label=np.nan))


@_case("study.csv", "column 'label'", "row 3", "'high'")
def _word_among_ratings(folder):
    table = good_table().assign(label=np.linspace(0, 1, 24).round(3).astype(object))
    table.loc[2, "label"] = "high"
    return _csv(folder, table)


@_case("study.csv", "6 samples have a target", "at least 10")
def _too_few_samples(folder):
    return _csv(folder, good_table(6))


@_case("study.csv", "at least 2 modalities", "audio")
def _one_modality(folder):
    return _csv(folder, good_table().drop(columns=["video_smile", "video_brow"]))


@_case("study.csv", "'video'", "no column that varies")
def _modality_that_never_varies(folder):
    return _csv(folder, good_table().assign(video_smile=1.0, video_brow=np.nan))


@_case("study.csv", "column 'person'", "row 4", "missing")
def _missing_person(folder):
    return _csv(folder, _with("person", 3, None))


@_case("study.csv", "column 'test_fold'", "2 different folds", "at least 3")
def _two_folds(folder):
    return _csv(folder, good_table().assign(test_fold=np.arange(24) // 12))


@_case("study.csv", "column 'test_fold'", "row 5", "missing")
def _missing_fold(folder):
    table = good_table().assign(test_fold=(np.arange(24) // 4 % 3).astype(object))
    table.loc[4, "test_fold"] = None
    return _csv(folder, table)


@_case("study.csv", "column 'split'", "row 1", "'one'", "train, validation and test")
def _unknown_split(folder):
    return _csv(folder, good_table().assign(split=["one", "two", "three"] * 8))


@_case("study.csv", "column 'split'", "no test samples")
def _split_without_a_test(folder):
    return _csv(folder, good_table().assign(split=["train", "train", "dev"] * 8))


@_case("study_train.csv", "study_test.csv", "different columns", "video_brow")
def _splits_with_different_columns(folder):
    table = good_table()
    return _csv(folder, table.iloc[:16], "study_train.csv") + _csv(
        folder, table.iloc[16:].drop(columns="video_brow"), "study_test.csv"
    )


# Damaged files, and files that would harm


@_case("study.parquet", "is empty")
def _empty_parquet(folder):
    return _bytes(folder, "study.parquet", b"")


@_case("study.parquet", "damaged", "Parquet")
def _cut_parquet(folder):
    good_table().to_parquet(folder / "whole.parquet")
    return _bytes(folder, "study.parquet", (folder / "whole.parquet").read_bytes()[:900])


@_case("study.parquet", "column 'audio_vector'", "unequal lengths", "column of its own")
def _ragged_vectors_in_parquet(folder):
    table = good_table().assign(audio_vector=[[1.0, 2.0], [1.0]] * 12)
    table.to_parquet(folder / "study.parquet")
    return [folder / "study.parquet"]


@_case("study.feather", "damaged", "Feather")
def _cut_feather(folder):
    good_table().to_feather(folder / "whole.feather")
    return _bytes(folder, "study.feather", (folder / "whole.feather").read_bytes()[:700])


@_case("study.xlsx", "damaged")
def _cut_workbook(folder):
    good_table().to_excel(folder / "whole.xlsx", index=False)
    return _bytes(folder, "study.xlsx", (folder / "whole.xlsx").read_bytes()[:3000])


@_case("study.xls", "Excel 97-2003", ".xlsx")
def _old_workbook(folder):
    return _bytes(folder, "study.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)


@_case("study.xlsx", "no sheet with cells")
def _empty_workbook(folder):
    openpyxl.Workbook().save(folder / "study.xlsx")
    return [folder / "study.xlsx"]


@_case("study.xlsx", "damaged")
def _workbook_of_exploding_entities(folder):
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{entities}]><x>&e11;</x>'
    good_table().to_excel(folder / "whole.xlsx", index=False)
    with (
        zipfile.ZipFile(folder / "whole.xlsx") as whole,
        zipfile.ZipFile(folder / "study.xlsx", "w") as made,
    ):
        for name in whole.namelist():
            made.writestr(name, bomb if name.endswith("sheet1.xml") else whole.read(name))
    return [folder / "study.xlsx"]


@_case("study.xlsx", "starts with a row of numbers", "header line")
def _workbook_without_a_header(folder):
    table = good_table()[["audio_pitch", "audio_energy", "video_smile"]]
    table.to_excel(folder / "study.xlsx", index=False, header=False)
    return [folder / "study.xlsx"]


def _npz(folder: Path, **arrays) -> list[Path]:
    np.savez(folder / "study.npz", **arrays)
    return [folder / "study.npz"]


@_case("study.npz", "damaged")
def _cut_npz(folder):
    np.savez(folder / "whole.npz", a=np.zeros((50, 4)))
    return _bytes(folder, "study.npz", (folder / "whole.npz").read_bytes()[:400])


@_case("study.npz", "'audio'", "Python objects")
def _npz_of_objects(folder):
    return _npz(folder, audio=np.array([{}] * 24, dtype=object), label=np.arange(24))


@_case("study.npz", "unequal numbers of samples", "audio: 24", "video: 23")
def _npz_of_unequal_arrays(folder):
    return _npz(folder, audio=np.zeros((24, 2)), video=np.zeros((23, 2)), label=np.arange(24))


@_case("study.npz", "'audio'", "header promises")
def _npz_with_a_lying_header(folder):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header = header.ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    with zipfile.ZipFile(folder / "study.npz", "w") as archive:
        archive.writestr("audio.npy", content + b"\0" * 800)
    return [folder / "study.npz"]


def _bomb(path: Path, member: str) -> list[Path]:
    """A zip whose directory names the same 8 MiB of zeros 200 times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, bytes(8 * 1024**2))
        for number in range(199):
            info = copy.copy(archive.filelist[0])
            info.filename = f"{number}.{member}"
            archive.filelist.append(info)
    return [path]


@_case("study.npz", "would unpack to 1.6 GiB", "at most")
def _npz_bomb(folder):
    return _bomb(folder / "study.npz", "audio.npy")


@_case("study.xlsx", "would unpack to 1.6 GiB", "at most")
def _workbook_bomb(folder):
    return _bomb(folder / "study.xlsx", "[Content_Types].xml")


@_case("study.h5", "damaged")
def _cut_hdf5(folder):
    with h5py.File(folder / "whole.h5", "w") as file:
        file["audio"] = np.zeros((24, 50))
    return _bytes(folder, "study.h5", (folder / "whole.h5").read_bytes()[:3000])


@_case("study.h5", "'audio'", "links to something elsewhere")
def _hdf5_link_to_another_file(folder):
    with h5py.File(folder / "secret.h5", "w") as file:
        file["audio"] = np.zeros((24, 2))
    with h5py.File(folder / "study.h5", "w") as file:
        file["audio"] = h5py.ExternalLink("secret.h5", "/audio")
    return [folder / "study.h5"]


@_case("study.h5", "'audio'", "in another file")
def _hdf5_data_in_another_file(folder):
    (folder / "secret.bin").write_bytes(bytes(24 * 8))
    with h5py.File(folder / "study.h5", "w") as file:
        storage = [(str(folder / "secret.bin"), 0, 24 * 8)]
        file.create_dataset("audio", (24,), dtype="f8", external=storage)
    return [folder / "study.h5"]


@_case("study.h5", "would unpack to", "at most")
def _hdf5_bomb(folder):
    with h5py.File(folder / "study.h5", "w") as file:
        file.create_dataset("audio", (10**9, 100), dtype="f8", chunks=(1000, 100))
    return [folder / "study.h5"]


class _RunsCode:
    """Pickles to a program that writes a file."""

    def __init__(self, folder: Path) -> None:
        self._command = f"touch {folder / CODE_RAN}"

    def __reduce__(self):
        return os.system, (self._command,)


@_case("study.pickle", "was not read", "system", "not data")
def _pickle_that_runs_code(folder):
    return _bytes(folder, "study.pickle", pickle.dumps({"target": _RunsCode(folder)}))


@_case("study.pkl", "was not read", "system", "not data")
def _old_pickle_that_runs_code(folder):
    return _bytes(folder, "study.pkl", pickle.dumps(_RunsCode(folder), protocol=0))


@_case("study.csv", "was not read", "system", "not data")
def _pickle_that_runs_code_called_csv(folder):
    return _bytes(folder, "study.csv", pickle.dumps(_RunsCode(folder)))


@_case("study.pickle", "was not read", "system", "not data")
def _cache_that_runs_code(folder):
    with zipfile.ZipFile(folder / "study.pickle", "w") as archive:
        archive.writestr("study/data.pkl", pickle.dumps(_RunsCode(folder)))
    return [folder / "study.pickle"]


@_case("study.pickle", "was not read", "builtins.eval", "not data")
def _pickle_that_evaluates(folder):
    program = f"open({str(folder / CODE_RAN)!r}, 'w')"
    return _bytes(folder, "study.pickle", b"cbuiltins\neval\n(V" + program.encode() + b"\ntR.")


@_case("study.pickle", "not one of the authors' feature caches")
def _pickle_of_a_list(folder):
    return _bytes(folder, "study.pickle", pickle.dumps([1, 2, 3]))


@_case("study.pickle", "not one of the authors' feature caches", "training")
def _pickle_of_empty_folds(folder):
    return _bytes(folder, "study.pickle", pickle.dumps({"valence": {0: {}}}))


@_case("study.pickle", "damaged or cut off")
def _cut_pickle(folder):
    content = pickle.dumps({"valence": {0: {"training": np.zeros(100)}}})
    return _bytes(folder, "study.pickle", content[:-300])


@_case("study.pickle", "nested more than")
def _deep_pickle(folder):
    # As a key the innermost tuple would be hashed through all levels: a crash, not an error.
    return _bytes(folder, "study.pickle", b"\x80\x02}(" + b")" + b"\x85" * 200_000 + b"K\1u.")


@_case("study.pickle", "memo is larger")
def _pickle_with_an_endless_memo(folder):
    return _bytes(folder, "study.pickle", b"\x80\x02]r\xff\xff\xff\x7f.")


@_case("study.pickle", "bytes do not fit its shape")
def _pickle_with_an_endless_array(folder):
    content = pickle.dumps({"valence": np.zeros((100, 3), dtype=np.float32)}, protocol=2)
    assert content.count(b"KdK\x03\x86") == 1
    huge = b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86"  # (2³¹ − 1, 2³¹ − 1)
    return _bytes(folder, "study.pickle", content.replace(b"KdK\x03\x86", huge))


@_case("study.pt", "was not read", "torch")
def _torch_tensors(folder):
    program = b"\x80\x02}X\1\0\0\0a(X\7\0\0\0storageK\1tQs."
    with zipfile.ZipFile(folder / "study.pt", "w") as archive:
        archive.writestr("study/data.pkl", program)
    return [folder / "study.pt"]


@_case("study.pickle", "whole study", "alone")
def _pickle_beside_a_table(folder):
    return _bytes(folder, "study.pickle", pickle.dumps({})) + _csv(folder, good_table())


@_case("study.csv", "1,000,000 columns", "at most")
def _million_columns(folder):
    return _bytes(folder, "study.csv", ",".join(f"a{i}" for i in range(1_000_000)).encode())


@_case("study.csv", "no kind that is read")
def _nul_bytes_in_text(folder):
    return _bytes(folder, "study.csv", good_table().to_csv(index=False).encode() + b"\0" * 200)


@_case("study.yaml.csv", "only one column")
def _yaml_of_exploding_aliases(folder):
    nested = [f"a{i}: &a{i} [{' '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    return _bytes(folder, "study.yaml.csv", "\n".join(["a0: &a0 [lol]", *nested]).encode())


@_case("study.npy", "Python objects")
def _npy_of_objects(folder):
    np.save(folder / "study.npy", np.array([_RunsCode(folder)] * 24), allow_pickle=True)
    return [folder / "study.npy"]


def _npy(folder: Path, header: str, content: bytes = b"") -> list[Path]:
    header = header.ljust(117) + "\n"
    start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    return _bytes(folder, "study.npy", start + content)


@_case("study.npy", "header promises")
def _npy_with_an_absurd_shape(folder):
    shape = "(1000000, 1000000, 1000000)"
    return _npy(folder, f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}")


@_case("study.npy", "header promises")
def _npy_with_a_negative_shape(folder):
    return _npy(folder, "{'descr': '<f8', 'fortran_order': False, 'shape': (-5, 2), }", b"\0" * 80)


@_case("study.npy", "damaged")
def _npy_whose_header_is_a_program(folder):
    return _npy(folder, f"__import__('os').system('touch {CODE_RAN}')")


@_case("study.npz", "header promises")
def _npz_without_item_sizes(folder):
    header = "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,), }"
    header = header.ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    with zipfile.ZipFile(folder / "study.npz", "w") as archive:
        archive.writestr("audio.npy", content + b"\0")
    return [folder / "study.npz"]


@_case("study.npz", "leads outside of the archive")
def _npz_with_a_name_that_leads_out(folder):
    np.savez(folder / "whole.npz", audio=np.zeros((24, 2)))
    with (
        zipfile.ZipFile(folder / "whole.npz") as whole,
        zipfile.ZipFile(folder / "study.npz", "w") as made,
    ):
        made.writestr("../../audio.npy", whole.read("audio.npy"))
    return [folder / "study.npz"]


@_case("study.npz", "leads outside of the archive")
def _npz_with_an_absolute_name(folder):
    with zipfile.ZipFile(folder / "study.npz", "w") as made:
        made.writestr("/etc/audio.npy", b"\x93NUMPY")
    return [folder / "study.npz"]


@_case("study.npz", "more than once")
def _npz_with_one_name_twice(folder):
    np.savez(folder / "whole.npz", audio=np.zeros((24, 2)))
    content = zipfile.ZipFile(folder / "whole.npz").read("audio.npy")
    with zipfile.ZipFile(folder / "study.npz", "w") as made:
        made.writestr("audio.npy", content)
        info = copy.copy(made.filelist[0])
        made.filelist.append(info)
    return [folder / "study.npz"]


@_case("study.npz", "members", "at most")
def _npz_of_too_many_members(folder):
    with zipfile.ZipFile(folder / "study.npz", "w") as made:
        made.writestr("audio.npy", b"\x93NUMPY")
        for number in range(12_000):
            info = copy.copy(made.filelist[0])
            info.filename = f"{number}.npy"
            made.filelist.append(info)
    return [folder / "study.npz"]


@_case("study.xlsx", "damaged")
def _workbook_with_an_outside_entity(folder):
    text = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    good_table().to_excel(folder / "whole.xlsx", index=False)
    with (
        zipfile.ZipFile(folder / "whole.xlsx") as whole,
        zipfile.ZipFile(folder / "study.xlsx", "w") as made,
    ):
        for name in whole.namelist():
            made.writestr(name, text if name.endswith("workbook.xml") else whole.read(name))
    return [folder / "study.xlsx"]


@_case("study.xlsx", "leads outside of the archive")
def _workbook_with_a_name_that_leads_out(folder):
    good_table().to_excel(folder / "study.xlsx", index=False)
    with zipfile.ZipFile(folder / "study.xlsx", "a") as archive:
        archive.writestr("../evil.xml", "x")
    return [folder / "study.xlsx"]


@_case("study.h5", "links to something elsewhere")
def _hdf5_link_to_itself(folder):
    with h5py.File(folder / "study.h5", "w") as file:
        file["audio"] = h5py.SoftLink("/audio")
    return [folder / "study.h5"]


@_case("study.h5", "links to something elsewhere")
def _hdf5_links_in_a_circle(folder):
    with h5py.File(folder / "study.h5", "w") as file:
        file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
    return [folder / "study.h5"]


@_case("study.h5", "more than 1,000 data sets")
def _hdf5_of_many_groups(folder):
    with h5py.File(folder / "study.h5", "w") as file:
        for number in range(1100):
            file.create_group(f"g{number}")
    return [folder / "study.h5"]


@_case("study.h5", "'audio'", "in another file")
def _hdf5_virtual_data(folder):
    with h5py.File(folder / "secret.h5", "w") as file:
        file["audio"] = np.zeros((24, 2))
    layout = h5py.VirtualLayout((24, 2), dtype="f8")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "audio", (24, 2))
    with h5py.File(folder / "study.h5", "w") as file:
        file.create_virtual_dataset("audio", layout)
    return [folder / "study.h5"]


@_case("study.h5", "numbers and text are read")
def _hdf5_of_records(folder):
    with h5py.File(folder / "study.h5", "w") as file:
        file["audio"] = np.zeros(24, dtype=[("a", "f8"), ("b", "S4")])
    return [folder / "study.h5"]


def _csd(path: Path, features: object = None, **links: object) -> list[Path]:
    with h5py.File(path, "w") as file:
        file["COVAREP/metadata/version"] = [b"1"]
        file["COVAREP/data/v1/features"] = np.zeros((3, 2)) if features is None else features
        file["COVAREP/data/v1/intervals"] = np.array([[0, 1], [1, 2], [2, 3]])
        for name, link in links.items():
            file[f"COVAREP/data/{name}"] = link
    return [path]


@_case("study.csd", "links to something elsewhere")
def _sequence_link_to_another_file(folder):
    _csd(folder / "secret.csd")
    return _csd(folder / "study.csd", a=h5py.ExternalLink("secret.csd", "/COVAREP/data/v1"))


@_case("study.csd", "links to something elsewhere")
def _sequence_link_in_a_circle(folder):
    return _csd(folder / "study.csd", a=h5py.SoftLink("/COVAREP/data/a"))


@_case("study.csd", "cells", "at most")
def _sequence_bomb(folder):
    _csd(folder / "study.csd")
    with h5py.File(folder / "study.csd", "a") as file:
        del file["COVAREP/data/v1/features"]
        shape, chunks = (10**9, 2), (1000, 2)
        file.create_dataset("COVAREP/data/v1/features", shape, dtype="f4", chunks=chunks)
    return [folder / "study.csd"]


@_case("study.csd", "do not belong together")
def _sequence_of_unequal_lengths(folder):
    return _csd(folder / "study.csd", np.zeros((4, 2)))


@_case("study.csd", "damaged")
def _cut_sequence(folder):
    _csd(folder / "whole.csd")
    return _bytes(folder, "study.csd", (folder / "whole.csd").read_bytes()[:3000])


def _mmsa(folder: Path, program: object) -> list[Path]:
    return _bytes(folder, "study.pkl", pickle.dumps({"train": program}))


@_case("study.pkl", "was not read", "system", "not data")
def _mmsa_that_runs_code(folder):
    return _mmsa(folder, {"text": _RunsCode(folder)})


@_case("study.pkl", "was not read", "nested more than")
def _deep_mmsa(folder):
    return _bytes(
        folder, "study.pkl", b"\x80\x02}(X\5\0\0\0train(" + b")" + b"\x85" * 200_000 + b"tu."
    )


@_case("study.pkl", "has 3 values for 24 samples")
def _mmsa_of_unequal_lengths(folder):
    labels = np.zeros(24)
    return _mmsa(folder, {"regression_labels": labels, "id": ["a"] * 3, "audio": np.zeros((24, 2))})


@_case("study.pkl", "texts of usual length")
def _mmsa_of_one_text_a_million_times(folder):
    # 10 MB of pickle, 1 TB where every reference is copied.
    texts = ["x" * 10**7] * 100_000
    labels = np.zeros(100_000, dtype=np.float32)
    return _mmsa(folder, {"regression_labels": labels, "raw_text": texts})


@_case("study.pkl", "no array of numbers")
def _mmsa_whose_features_are_words(folder):
    return _mmsa(folder, {"regression_labels": np.zeros(24), "audio": np.array(["a"] * 24)})


@_case("study.arff", "columns", "at most")
def _arff_of_many_attributes(folder):
    names = "".join(f"@attribute a{i} numeric\n" for i in range(60_000))
    return _bytes(folder, "study.arff", f"@relation x\n{names}@data\n1\n".encode())


@_case("study.arff", "sparse ARFF")
def _sparse_arff(folder):
    head = "@relation x\n@attribute a numeric\n@attribute b numeric\n@data\n"
    return _bytes(folder, "study.arff", (head + "{0 1, 1 2}\n").encode())


@_case("study.arff", "do not fit its 2 attributes")
def _ragged_arff(folder):
    head = "@relation x\n@attribute a numeric\n@attribute b numeric\n@data\n"
    return _bytes(folder, "study.arff", (head + "1,2\n1,2,3\n").encode())


@_case("study.csv", "no whole OpenFace file")
def _openface_with_a_word_among_numbers(folder):
    lines = "frame,timestamp,confidence,success,AU01_r\n1,0.0,0.9,1,high\n"
    return _bytes(folder, "study.csv", lines.encode())


@_case("study.csv", "no action units, gaze or pose")
def _openface_without_features(folder):
    return _bytes(folder, "study.csv", b"frame,timestamp,confidence,success\n1,0.0,0.9,1\n")


@_case("study.csv", "'soon' is no time")
def _opensmile_with_a_word_for_a_time(folder):
    rows = "file,start,end,pitch\na.wav,0 days,0 days 00:00:00.02,1\na.wav,soon,soon,2\n"
    return _bytes(folder, "study.csv", rows.encode())


@_case("study_ids.txt holds 3 ids", "24 rows")
def _list_of_ids_that_is_too_short(folder):
    np.save(folder / "study.npy", np.zeros((24, 2)))
    (folder / "study_ids.txt").write_text("a\nb\nc\n")
    return [folder / "study.npy", folder / "study_ids.txt"]


@_case("study.parquet", "20,000,000 rows of 8 columns", "at most")
def _parquet_bomb(folder):
    # Equal numbers take next to no room in the file.
    column = pa.array(np.zeros(20_000_000, dtype=np.int8))
    columns = {f"audio_{i}": column for i in range(8)}
    pq.write_table(pa.table(columns), folder / "study.parquet")
    return [folder / "study.parquet"]


# Files that are read, and told


@_case("byte order mark", is_read=True)
def _byte_order_mark(folder):
    return _csv(folder, good_table(), encoding="utf-8-sig")


@_case("UTF-16", is_read=True)
def _utf16(folder):
    return _csv(folder, good_table(), encoding="utf-16")


@_case("not UTF-8", "Windows-1252", is_read=True)
def _windows_1252(folder):
    return _csv(folder, good_table().replace("calm", "müde"), encoding="cp1252")


@_case("separated by semicolon", "decimal commas", is_read=True)
def _semicolons_and_decimal_commas(folder):
    return _csv(folder, good_table(), sep=";", decimal=",")


@_case("separated by tab", is_read=True)
def _tabs_called_csv(folder):
    return _csv(folder, good_table(), sep="\t")


@_case("saved row index", is_read=True)
def _saved_row_index(folder):
    good_table().to_csv(folder / "study.csv")
    return [folder / "study.csv"]


@_case("3 rows at the end hold nothing", is_read=True)
def _delimiters_at_the_end(folder):
    text = good_table().to_csv(index=False) + ",,,,,,,\n" * 3
    return _bytes(folder, "study.csv", text.encode())


@_case("is Parquet, in spite of its name", is_read=True)
def _parquet_called_csv(folder):
    good_table().to_parquet(folder / "study.csv")
    return [folder / "study.csv"]


@_case("'audio'", "1 columns without any value", "audio_energy", "Left out", is_read=True)
def _column_without_values(folder):
    return _csv(folder, good_table().assign(audio_energy=np.nan))


@_case("'audio'", "1 columns with one value only", "audio_energy", "Left out", is_read=True)
def _constant_column(folder):
    return _csv(folder, good_table().assign(audio_energy=0.0))


@_case("2 missing values in 1 columns (audio_energy)", "median", is_read=True)
def _missing_values(folder):
    table = good_table()
    table.loc[[2, 5], "audio_energy"] = np.nan
    return _csv(folder, table, na_rep="NA")


@_case("2 infinite values (audio_energy)", "Taken as missing", is_read=True)
def _infinite_values(folder):
    table = good_table()
    table.loc[[2, 5], "audio_energy"] = [np.inf, 1e300]
    return _csv(folder, table)


@_case("codes for missing", "audio_energy: -999", is_read=True)
def _codes_for_missing(folder):
    table = good_table()
    table.loc[[2, 5], "audio_energy"] = -999
    return _csv(folder, table)


@_case("1 of 24 samples have no value at all", "'video'", "absent", is_read=True)
def _sample_without_a_modality(folder):
    table = good_table()
    table.loc[3, ["video_smile", "video_brow"]] = np.nan
    return _csv(folder, table)


@_case("1 columns of text (audio_note)", "no features", is_read=True)
def _text_beside_features(folder):
    return _csv(folder, good_table().assign(audio_note=["loud"] * 24))


@_case("2 of 24 samples have no target", "left out", is_read=True)
def _some_targets_missing(folder):
    table = good_table()
    table.loc[[1, 2], "label"] = None
    return _csv(folder, table)


@_case("1 of 24 samples have no target", "left out", is_read=True)
def _infinite_target(folder):
    table = good_table().assign(label=np.linspace(0, 1, 24))
    table.loc[1, "label"] = -np.inf
    return _csv(folder, table)


@_case("2 of 24 samples are not there (s22, s23)", "1 samples have no row", is_read=True)
def _some_ids_that_do_not_match(folder):
    table = good_table()
    audio = table[["sample_id", "audio_pitch", "audio_rate"]].iloc[:-2]
    stranger = pd.DataFrame({"sample_id": ["x"], "audio_pitch": [0.1], "audio_rate": [0.2]})
    labels = table.drop(columns=["audio_pitch", "audio_energy", "audio_rate"])
    return _csv(folder, pd.concat([audio, stranger]), "audio.csv") + _csv(
        folder, labels, "labels.csv"
    )


@_case("classes with fewer than 5 samples (rare: 2)", is_read=True)
def _rare_class(folder):
    table = good_table()
    table.loc[[1, 2], "label"] = "rare"
    return _csv(folder, table)


@_case("person 'p0'", "fold '0' (row 1)", "fold '1' (row 2)", is_read=True)
def _person_in_two_folds(folder):
    return _csv(folder, good_table().assign(test_fold=np.arange(24) % 3))


@_case("no test sample is of class calm", is_read=True)
def _fold_without_a_class(folder):
    folds = np.where(
        good_table()["label"] == "calm", np.arange(24) // 4 % 3, np.arange(24) // 4 % 4
    )
    return _csv(folder, good_table().assign(test_fold=folds).drop(columns="person"))


@_case("no validation samples", "training samples became validation", is_read=True)
def _split_without_validation(folder):
    split = np.where(np.arange(24) < 16, "train", "test")
    return _csv(folder, good_table().assign(split=split))


@_case("matched by their position", is_read=True)
def _files_without_ids(folder):
    table = good_table().drop(columns="sample_id")
    audio = table[["audio_pitch", "audio_rate"]]
    labels = table.drop(columns=["audio_pitch", "audio_energy", "audio_rate"])
    return _csv(folder, audio, "audio.csv") + _csv(folder, labels, "labels.csv")


assert len({case.name for case in BROKEN_FILES}) == len(BROKEN_FILES)
