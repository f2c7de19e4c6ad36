"""Uploaded files on disk, under generated names; the user's names are only displayed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.state.session import workspace
from smurf_core.data.importing.mapping import StudyMapping, read_mapping
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError
from smurf_core.runs.disk import disk_error

_KEEP_SECONDS = 24 * 3600
_KEPT = "kept_uploads"


def keep_uploads(files: list[UploadedFile], owner: str = _KEPT) -> tuple[SourceFile, ...]:
    """Write uploads to the workspace once, and delete those that the user removed.

    `owner` names the page's uploads in session state.
    """
    folder = workspace().root / "uploads"
    kept: dict[str, Path] = st.session_state.setdefault(owner, {})
    if not kept:
        _remove_old(folder)
    current = {file.file_id for file in files}
    for file_id in [known for known in kept if known not in current]:
        kept.pop(file_id).unlink(missing_ok=True)
    for file in files:
        if file.file_id not in kept or not kept[file.file_id].exists():
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / uuid4().hex
            try:
                path.write_bytes(file.getbuffer())
            except OSError as error:
                path.unlink(missing_ok=True)
                raise disk_error(error, folder) or error from error
            kept[file.file_id] = path
    return tuple(SourceFile(file.name, kept[file.file_id]) for file in files)


def split_mapping(
    sources: Sequence[SourceFile],
) -> tuple[tuple[SourceFile, ...], StudyMapping | None]:
    """The data files, and the mapping of a study.yaml among them."""
    given = [source for source in sources if source.suffix in (".yaml", ".yml")]
    data = tuple(source for source in sources if source not in given)
    if len(given) > 1:
        raise InputError(f"{len(given)} mappings were given ({given[0].name} …): one is enough.")
    if not data:
        raise InputError(f"{given[0].name} is a mapping: also drop the files that it names.")
    return data, read_mapping(given[0].path, given[0].name) if given else None


def forget_uploads(owner: str = _KEPT) -> None:
    """Remove this session's uploads after they were used."""
    kept: dict[str, Path] = st.session_state.pop(owner, {})
    for path in kept.values():
        path.unlink(missing_ok=True)


def _remove_old(folder: Path) -> None:
    """Sessions that were closed leave files behind."""
    for path in folder.glob("*"):
        if time.time() - path.stat().st_mtime > _KEEP_SECONDS:
            path.unlink(missing_ok=True)
