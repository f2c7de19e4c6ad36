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
from smurf_core.extraction.features import Kind, Tools, extract_features
from smurf_core.extraction.running import Extraction
from smurf_core.extraction.store import FeatureStore
from smurf_core.extraction.text import DEFAULT_MODEL
from smurf_core.extraction.utterances import Columns
from smurf_core.extraction.video import OPENFACE_VARIABLE
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
    _extract("audio", source, output, folder, Columns(id, file, start, end), Tools())


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
    tools = Tools(model=model, download=download)
    _extract("text", source, output, None, Columns(id=id, text=text), tools)


@extract_app.command()
def video(
    source: _Source,
    output: _Output,
    folder: _Folder = None,
    openface: Annotated[
        str,
        typer.Option(
            help="OpenFace's FeatureExtraction, or its folder.",
            show_default="the one on PATH",
            envvar=OPENFACE_VARIABLE,
        ),
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
    tools = Tools(openface=openface, options=ReadingOptions(confidence=confidence))
    _extract("video", source, output, folder, Columns(id, file, start, end), tools)


def _extract(
    kind: Kind, source: Path, output: Path, folder: Path | None, columns: Columns, tools: Tools
) -> None:
    writer = _writer(output)
    store = FeatureStore.of(Workspace.default().root)
    with Steps(kind) as bar:
        found = extract_features(
            kind, source, store, folder=folder, columns=columns, tools=tools, on_progress=bar
        )
    _finish(found, output, writer)


def _writer(output: Path) -> Callable[[pd.DataFrame, Path], None]:
    """The function that writes the output; errors are raised before the extraction starts."""
    if output.suffix.lower() not in _WRITERS:
        raise InputError(f"--output {output}: end it with {' or '.join(_WRITERS)}.")
    if not output.parent.is_dir():
        raise InputError(f"--output {output}: there is no folder {output.parent}.")
    return _WRITERS[output.suffix.lower()]


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
