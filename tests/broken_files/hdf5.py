"""HDF5, and the sequences that the CMU Multimodal SDK keeps in it."""

from pathlib import Path

import h5py
import numpy as np

from tests.broken_files.cases import case, of_bytes


@case("study.h5", "damaged")
def _cut_hdf5(folder):
    with h5py.File(folder / "whole.h5", "w") as file:
        file["audio"] = np.zeros((24, 50))
    return of_bytes(folder, "study.h5", (folder / "whole.h5").read_bytes()[:3000])


@case("study.h5", "'audio'", "links to something elsewhere")
def _hdf5_link_to_another_file(folder):
    with h5py.File(folder / "secret.h5", "w") as file:
        file["audio"] = np.zeros((24, 2))
    with h5py.File(folder / "study.h5", "w") as file:
        file["audio"] = h5py.ExternalLink("secret.h5", "/audio")
    return [folder / "study.h5"]


@case("study.h5", "'audio'", "in another file")
def _hdf5_data_in_another_file(folder):
    (folder / "secret.bin").write_bytes(bytes(24 * 8))
    with h5py.File(folder / "study.h5", "w") as file:
        storage = [(str(folder / "secret.bin"), 0, 24 * 8)]
        file.create_dataset("audio", (24,), dtype="f8", external=storage)
    return [folder / "study.h5"]


@case("study.h5", "would unpack to", "at most")
def _hdf5_bomb(folder):
    with h5py.File(folder / "study.h5", "w") as file:
        file.create_dataset("audio", (10**9, 100), dtype="f8", chunks=(1000, 100))
    return [folder / "study.h5"]


@case("study.h5", "links to something elsewhere")
def _hdf5_link_to_itself(folder):
    with h5py.File(folder / "study.h5", "w") as file:
        file["audio"] = h5py.SoftLink("/audio")
    return [folder / "study.h5"]


@case("study.h5", "links to something elsewhere")
def _hdf5_links_in_a_circle(folder):
    with h5py.File(folder / "study.h5", "w") as file:
        file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
    return [folder / "study.h5"]


@case("study.h5", "more than 1,000 data sets")
def _hdf5_of_many_groups(folder):
    with h5py.File(folder / "study.h5", "w") as file:
        for number in range(1100):
            file.create_group(f"g{number}")
    return [folder / "study.h5"]


@case("study.h5", "'audio'", "in another file")
def _hdf5_virtual_data(folder):
    with h5py.File(folder / "secret.h5", "w") as file:
        file["audio"] = np.zeros((24, 2))
    layout = h5py.VirtualLayout((24, 2), dtype="f8")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "audio", (24, 2))
    with h5py.File(folder / "study.h5", "w") as file:
        file.create_virtual_dataset("audio", layout)
    return [folder / "study.h5"]


@case("study.h5", "numbers and text are read")
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


@case("study.csd", "links to something elsewhere")
def _sequence_link_to_another_file(folder):
    _csd(folder / "secret.csd")
    return _csd(folder / "study.csd", a=h5py.ExternalLink("secret.csd", "/COVAREP/data/v1"))


@case("study.csd", "links to something elsewhere")
def _sequence_link_in_a_circle(folder):
    return _csd(folder / "study.csd", a=h5py.SoftLink("/COVAREP/data/a"))


@case("study.csd", "1,000,000,000 rows", "at most")
def _sequence_bomb(folder):
    _csd(folder / "study.csd")
    with h5py.File(folder / "study.csd", "a") as file:
        del file["COVAREP/data/v1/features"]
        shape, chunks = (10**9, 2), (1000, 2)
        file.create_dataset("COVAREP/data/v1/features", shape, dtype="f4", chunks=chunks)
    return [folder / "study.csd"]


@case("study.csd", "do not belong together")
def _sequence_of_unequal_lengths(folder):
    return _csd(folder / "study.csd", np.zeros((4, 2)))


@case("study.csd", "damaged")
def _cut_sequence(folder):
    _csd(folder / "whole.csd")
    return of_bytes(folder, "study.csd", (folder / "whole.csd").read_bytes()[:3000])
