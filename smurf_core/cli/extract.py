"""`smurf extract audio`, `text` and `video`: from recordings to features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console

from smurf_core.cli.progress import Steps
from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.errors import InputError
from smurf_core.extraction.audio import AUDIO_SUFFIXES, EgemapsExtractor
from smurf_core.extraction.running import Extraction, extract
from smurf_core.extraction.store import FeatureStore
from smurf_core.extraction.text import DEFAULT_MODEL, SentenceEmbedder
from smurf_core.extraction.utterances import (
    Columns,
    Utterance,
    texts_of_folder,
    texts_of_table,
    utterances_of_folder,
    utterances_of_table,
)
from smurf_core.extraction.video import OPENFACE_SUFFIX, VIDEO_SUFFIXES, extract_faces
from smurf_core.runs.workspace import Workspace

extract_app = typer.Typer(
    help="Extract features from recordings, as tables that `smurf check` and `smurf train` read.",
    no_args_is_help=True,
)
_SHOWN = 5  # number of failures that are printed; all are in the file
_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": lambda table, path: table.to_csv(path, index=False),
    ".parquet": lambda table, path: table.to_parquet(path, index=False),
}

_Source = Annotated[
    Path,
    typer.Argument(
        help="A folder of files, or a table with one row per utterance: sample_id, file, start, "
        "end."
    ),
]
_Output = Annotated[Path, typer.Option(help="Table to write: .csv or .parquet.")]
_Folder = Annotated[
    Path | None,
    typer.Option(help="Folder of the recordings in the table.", show_default="the table's"),
]
_Id = Annotated[str, typer.Option(help="Column of sample ids.", show_default="guessed")]
_File = Annotated[str, typer.Option(help="Column of files.", show_default="guessed")]
_Start = Annotated[str, typer.Option(help="Column of starts, in seconds.", show_default="guessed")]
_End = Annotated[str, typer.Option(help="Column of ends, in seconds.", show_default="guessed")]


@extract_app.command()
def audio(
    source: _Source,
    output: _Output,
    folder: _Folder = None,
    id: _Id = "",
    file: _File = "",
    start: _Start = "",
    end: _End = "",
) -> None:
    """Extract the 88 functionals of eGeMAPSv02 from sound (openSMILE)."""
    writer = _writer(output)
    columns = Columns(id=id, file=file, start=start, end=end)
    utterances = _utterances(source, AUDIO_SUFFIXES, folder, columns)
    extractor = EgemapsExtractor()
    with Steps("audio") as bar:
        found = extract(utterances, extractor, _store(), on_progress=bar)
    _finish(found, output, writer)


@extract_app.command()
def text(
    source: Annotated[
        Path, typer.Argument(help="A table with one row per text, or a folder of .txt files.")
    ],
    output: _Output,
    model: Annotated[
        str, typer.Option(help="Name of a sentence-transformers model, or its folder.")
    ] = DEFAULT_MODEL,
    download: Annotated[
        bool, typer.Option("--download", help="Download the model if it is not on this machine.")
    ] = False,
    id: _Id = "",
    text: Annotated[str, typer.Option(help="Column of texts.", show_default="guessed")] = "",
) -> None:
    """Compute sentence embeddings of texts (sentence-transformers)."""
    writer = _writer(output)
    _needed(source)
    utterances = (
        texts_of_folder(source)
        if source.is_dir()
        else texts_of_table(source, Columns(id=id, text=text))
    )
    extractor = SentenceEmbedder(model, download=download)
    with Steps("text") as bar:
        found = extract(utterances, extractor, _store(), on_progress=bar)
    _finish(found, output, writer)


@extract_app.command()
def video(
    source: _Source,
    output: _Output,
    folder: _Folder = None,
    openface: Annotated[
        str,
        typer.Option(help="OpenFace's FeatureExtraction.", show_default="the one on PATH"),
    ] = "",
    confidence: Annotated[
        float, typer.Option(help="Frames that were tracked with a lower confidence are left out.")
    ] = ReadingOptions().confidence,
    id: _Id = "",
    file: _File = "",
    start: _Start = "",
    end: _End = "",
) -> None:
    """Extract statistics of action units, pose and gaze from video (OpenFace, or its CSV files)."""
    writer = _writer(output)
    options = ReadingOptions(confidence=confidence)
    columns = Columns(id=id, file=file, start=start, end=end)
    suffixes: tuple[str, ...] = VIDEO_SUFFIXES
    if source.is_dir() and not any(p.suffix.lower() in suffixes for p in source.rglob("*")):
        suffixes = (OPENFACE_SUFFIX,)
    elif not source.is_dir():
        suffixes = (*suffixes, OPENFACE_SUFFIX)
    utterances = _utterances(source, suffixes, folder, columns)
    with Steps("video") as bar:
        found = extract_faces(
            utterances, _store(), program=openface, options=options, on_progress=bar
        )
    _finish(found, output, writer)


def _utterances(
    source: Path, suffixes: tuple[str, ...], folder: Path | None, columns: Columns
) -> tuple[Utterance, ...]:
    _needed(source)
    if source.is_dir():
        return utterances_of_folder(source, suffixes)
    return utterances_of_table(source, suffixes, folder=folder, columns=columns)


def _needed(source: Path) -> None:
    if not source.exists():
        raise InputError(f"{source} does not exist: name a folder or a table.")


def _writer(output: Path) -> Callable[[pd.DataFrame, Path], None]:
    """The function that writes the output; errors are raised before the extraction starts."""
    if output.suffix.lower() not in _WRITERS:
        raise InputError(f"--output {output}: end it with {' or '.join(_WRITERS)}.")
    if not output.parent.is_dir():
        raise InputError(f"--output {output}: there is no folder {output.parent}.")
    return _WRITERS[output.suffix.lower()]


def _store() -> FeatureStore:
    return FeatureStore(Workspace.default().root / "features")


def _finish(found: Extraction, output: Path, writer: Callable[[pd.DataFrame, Path], None]) -> None:
    """Write the table and, next to it, the failures; an old list of failures is deleted."""
    console = Console(highlight=False, soft_wrap=True)
    failed = output.with_name(f"{output.stem}_failures.csv")
    failed.unlink(missing_ok=True)
    total = len(found.features) + len(found.failures)
    if len(found.failures):
        found.failures.to_csv(failed, index=False)
    if not len(found.features):
        raise InputError(
            f"None of {total} could be extracted; the first: {found.failures['problem'].iloc[0]}"
        )
    writer(found.features, output)
    kept = f", {found.reused} of them kept from before" if found.reused else ""
    console.print(
        f"{output}: {len(found.features)} of {total} samples{kept}, "
        f"{found.features.shape[1] - 1} features",
        markup=False,
    )
    if len(found.failures):
        console.print(f"{failed}: {len(found.failures)} failed", markup=False)
        for row in found.failures.head(_SHOWN).itertuples():
            console.print(f"  {row.sample_id}: {row.problem}", markup=False)
