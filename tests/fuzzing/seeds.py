"""Small valid files of every format that is read, from which changed ones are made."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from tests.broken_files import good_table

ROWS = 12
SEEDS: dict[str, Callable[[], bytes]] = {}


def seed(name: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """Add a file of this name, which its function makes."""

    def add(make: Callable[[], bytes]) -> Callable[[], bytes]:
        SEEDS[name] = make
        return make

    return add


def _table() -> pd.DataFrame:
    return good_table(ROWS)


def _arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    return {
        "sample_id": np.array([f"s{i}" for i in range(ROWS)]),
        "audio": random.normal(size=(ROWS, 3)),
        "video": random.normal(size=(ROWS, 4, 2)).astype(np.float32),
        "label": np.arange(ROWS) % 3,
    }


@seed("plain.csv")
def _plain() -> bytes:
    return _table().to_csv(index=False).encode()


@seed("odd.csv")
def _odd() -> bytes:
    """Titles, two header rows, thousands, percent, notes and a total."""
    rows = [f"clip{i};{i},5;1.{i:03d};{i}%;[[0,{i}]];NA;{i * i} ms" for i in range(ROWS)]
    head = ["Study 3", "", "id;valence;audio_a;audio_b;video_a;video_b;video_c", ";;n;%;;;ms"]
    return "\n".join([*head, *rows, "Mean;1,5;2;3;4;5;6", "", "Note: ü"]).encode("cp1252")


@seed("tabs.tsv")
def _tabs() -> bytes:
    return _table().to_csv(index=False, sep="\t", decimal=",").encode("utf-16")


@seed("blanks.txt")
def _blanks() -> bytes:
    return _table().to_string(index=False).encode()


@seed("study.arff")
def _arff() -> bytes:
    table = _table()
    names = "".join(f"@attribute {name} string\n" for name in table)
    return f"@relation x\n{names}@data\n{table.to_csv(index=False, header=False)}".encode()


@seed("openface.csv")
def _openface() -> bytes:
    random = np.random.default_rng(2)
    table = pd.DataFrame(random.normal(size=(ROWS, 3)), columns=["AU01_r", "AU01_c", "gaze_0_x"])
    table.insert(0, "success", 1)
    table.insert(0, "confidence", 0.9)
    table.insert(0, "timestamp", np.arange(ROWS) / 25)
    table.insert(0, "frame", np.arange(ROWS))
    return table.round(4).to_csv(index=False).encode()


@seed("opensmile.csv")
def _opensmile() -> bytes:
    rows = [f"'clip{i // 4}';{i / 100};{i}.5;{i}" for i in range(ROWS)]
    return "\n".join(["name;frameTime;pitch;loudness", *rows]).encode()


@seed("egemaps.csv")
def _egemaps() -> bytes:
    rows = [f"a/clip{i}.wav,0 days,0 days 00:00:01.5,{i}.5,{i}" for i in range(ROWS)]
    return "\n".join(["file,start,end,pitch,loudness", *rows]).encode()


@seed("study.xlsx")
def _xlsx() -> bytes:
    made = io.BytesIO()
    _table().to_excel(made, index=False)
    return made.getvalue()


@seed("study.parquet")
def _parquet() -> bytes:
    made = io.BytesIO()
    _table().assign(vector=[[1.0, 2.0]] * ROWS).to_parquet(made)
    return made.getvalue()


@seed("study.feather")
def _feather() -> bytes:
    made = io.BytesIO()
    _table().to_feather(made)
    return made.getvalue()


@seed("audio.npy")
def _npy() -> bytes:
    made = io.BytesIO()
    np.save(made, _arrays()["audio"])
    return made.getvalue()


@seed("words.npy")
def _words() -> bytes:
    made = io.BytesIO()
    np.save(made, _arrays()["sample_id"])
    return made.getvalue()


@seed("study.npz")
def _npz() -> bytes:
    made = io.BytesIO()
    np.savez(made, **_arrays())
    return made.getvalue()


@seed("packed.npz")
def _packed() -> bytes:
    made = io.BytesIO()
    np.savez_compressed(made, **_arrays())
    return made.getvalue()


@seed("study.h5")
def _hdf5() -> bytes:
    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        for name, array in _arrays().items():
            file[name] = array.tolist() if array.dtype.kind == "U" else array
    return made.getvalue()


@seed("sequence.csd")
def _csd() -> bytes:
    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        for k in range(2):
            file[f"COVAREP/data/v{k}/features"] = np.arange(12.0).reshape(6, 2)
            file[f"COVAREP/data/v{k}/intervals"] = np.arange(12.0).reshape(6, 2)
        file["COVAREP/metadata/dimension names"] = ['["f0", "voiced"]']
    return made.getvalue()


@seed("labels.csd")
def _csd_labels() -> bytes:
    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        file["Opinion Labels/data/v0/features"] = np.arange(6.0).reshape(6, 1)
        file["Opinion Labels/data/v0/intervals"] = np.arange(12.0).reshape(6, 2)
        file["Opinion Labels/metadata/root name"] = ["labels"]
    return made.getvalue()


@seed("mmsa.pkl")
def _mmsa() -> bytes:
    random = np.random.default_rng(3)

    def part(split: str) -> dict[str, object]:
        return {
            "id": np.array([f"{split}$_${k}" for k in range(4)]),
            "raw_text": [f"words {k}" for k in range(4)],
            "text": random.normal(size=(4, 3, 2)),
            "audio": [random.normal(size=(k + 1, 2)) for k in range(4)],
            "vision": random.normal(size=(4, 2)).astype(np.float32),
            "regression_labels": np.arange(4.0),
        }

    return pickle.dumps({split: part(split) for split in ("train", "valid", "test")}, protocol=4)


class _Loader:
    """Pickled under the name of the authors' class."""

    def __init__(self, n: int) -> None:
        random = np.random.default_rng(n)
        x = random.normal(size=(n, 4))
        self.iterator = [{"x": [x], "y": [x[:, :1].copy()], "meta_id": [np.arange(n) % 3]}]
        names = np.array(["audio_a", "audio_b", "video_a", "video_b"])
        self.properties = {"x_names": names, "y_names": np.array(["valence"])}


_Loader.__module__, _Loader.__qualname__ = "python_tools.ml.data_loader", "DataLoader"


@seed("cache.pickle")
def _cache() -> bytes:
    import sys
    from types import ModuleType

    names = ("python_tools", "python_tools.ml", "python_tools.ml.data_loader")
    modules = {name: ModuleType(name) for name in names}
    modules[names[-1]].DataLoader = _Loader  # type: ignore[attr-defined]
    sys.modules.update(modules)
    try:
        parts = {name: _Loader(n) for name, n in (("training", 9), ("validation", 5), ("test", 6))}
        return pickle.dumps({"valence": {0: parts}}, protocol=2)
    finally:
        for name in names:
            del sys.modules[name]


@seed("study.yaml")
def _yaml() -> bytes:
    roles = b"name: x\ntarget: label\nid: sample_id\n"
    return roles + b"modalities:\n  audio: [audio_*]\n  video: video_*\n"


@seed("audio_ids.txt")
def _ids() -> bytes:
    return "\n".join(["sample_id", *(f"s{i}" for i in range(ROWS))]).encode()


def write_seeds(folder: Path) -> dict[str, bytes]:
    """The content of every seed, also written to a folder, where it can be tried."""
    made = {name: make() for name, make in SEEDS.items()}
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return made
