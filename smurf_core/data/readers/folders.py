"""Names the files of a folder that are not read, with what to do about each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from smurf_core.data.media import MEDIA_TYPES
from smurf_core.data.problems import Problem, Severity, listing
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

# Files that are often in the same folder as data.
DOCUMENTS = ("license", "licence", "readme", "notice", "changelog", "requirements", "codebook")
_MOST_COUNTED = 100_000
_SYSTEM = ("thumbs.db", "desktop.ini", "__macosx")
_ARCHIVES = ("zip", "gz", "tar", "tgz", "bz2", "xz", "7z", "rar", "zst")
_RAW = ("edf", "bdf", "acq", "xdf", "vhdr", "eeg", "vmrk", "c3d", "trc", "bvh")
_SHEETS = ("ods", "numbers", "xlsb", "gsheet")
_OTHERS = ("json", "jsonl", "xml", "sql", "db", "sqlite", "doc", "docx", "pdf", "html", "md", "rtf",
           "odt", "pptx", "py", "r", "rmd", "m", "ipynb", "do", "sps", "sh", "log", "png", "jpg",
           "jpeg", "gif", "svg", "tif", "bib", "tex", "toml", "cfg", "ini", "bak")  # fmt: skip

# Suffix without its dot → what the file is, how serious it is to leave it out, what to do.
_KNOWN: dict[str, tuple[str, Severity, str]] = {
    **dict.fromkeys(_ARCHIVES, ("archives", "warning", "Unpack them, and give the files in them.")),
    **dict.fromkeys(_RAW, ("raw recordings", "warning",
                           "Extract features from them, with one row per sample.")),
    **dict.fromkeys(_SHEETS, ("spreadsheets of another program", "warning",
                              "Save them as .xlsx or .csv.")),
    **dict.fromkeys(("yaml", "yml"), ("mappings", "note",
                                      "To use one, give it in place of the folder.")),
    **dict.fromkeys(_OTHERS, ("no tables", "note", "Save as CSV what belongs to the study.")),
}  # fmt: skip


def unread_files(paths: Iterable[Path], suffixes: Collection[str]) -> tuple[Problem, ...]:
    """What is in the given folders and is not read: one problem for each kind of file.

    `suffixes` are those that are read. Hidden files are not mentioned.
    """
    return tuple(problem for path in paths if path.is_dir() for problem in _unread(path, suffixes))


def is_read(path: Path, suffixes: Collection[str]) -> bool:
    """True if a file in a folder is read: it has a suffix of data and no name of a document."""
    is_hidden = path.name.startswith(".") or path.name.lower() in _SYSTEM
    is_data = path.suffix.lower() in suffixes and path.stem.lower() not in DOCUMENTS
    return path.is_file() and is_data and not is_hidden


@contextmanager
def naming_unread(unread: Sequence[Problem]) -> Iterator[None]:
    """Add the names of files that were not read to an error: what is missing may be in them."""
    try:
        yield
    except InputError as error:
        names = [problem.file for problem in unread if problem.severity == "warning"]
        if not names:
            raise
        raise InputError(f"{error} Not read in this folder: {listing(names, 6)}.") from error


def _unread(folder: Path, suffixes: Collection[str]) -> Iterator[Problem]:
    groups: dict[tuple[str, Severity, str], list[str]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        is_hidden = path.name.startswith(".") or path.name.lower() in _SYSTEM
        if is_hidden or is_read(path, suffixes):
            continue
        name = SourceFile(path.name, path).name
        if path.is_dir():
            count = _count(path)
            files = f"more than {count:,}" if count == _MOST_COUNTED else f"{count:,}"
            groups[("folders", "warning", "Give them as well, or move their files up.")].append(
                f"{name}/ ({files} files)"
            )
        else:
            groups[_kind(path, suffixes)].append(name)
    for (what, severity, remedy), names in groups.items():
        message = f"{len(names)} {what} were not read."
        yield Problem(severity, message, listing(names, 6), remedy=remedy)


def _kind(path: Path, suffixes: Collection[str]) -> tuple[str, Severity, str]:
    suffix = path.suffix.lower()
    if path.stem.lower() in DOCUMENTS:
        return "documents", "note", "If one contains data, rename it."
    if suffix in MEDIA_TYPES:
        return "recordings", "note", "To play them, name their folder with --media."
    some = listing(suffixes, 8)
    return _KNOWN.get(
        suffix.removeprefix("."),
        ("files of unknown formats", "warning", f"Save them in a format that is read ({some})."),
    )


def _count(folder: Path) -> int:
    count = 0
    for path in folder.rglob("*"):
        count += path.is_file() and not path.name.startswith(".")
        if count == _MOST_COUNTED:
            break
    return count
