"""ARFF (Weka's format, which openSMILE writes): attributes named above rows of data."""

from __future__ import annotations

import io
import re

import pyarrow as pa
import pyarrow.csv as pa_csv

from smurf_core.data.readers.columns import check_names, text_table
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.errors import InputError

_ATTRIBUTE = re.compile(r"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)\s+(.+)", re.IGNORECASE)


class ArffReader:
    """Dense ARFF; `?` is a missing value."""

    title = "ARFF"
    suffixes = (".arff",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the first line that is not a comment begins a relation."""
        lines = (line.strip().lower() for line in head.splitlines())
        first = next((line for line in lines if line and not line.startswith(b"%")), b"")
        return first.startswith(b"@relation")

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table, with columns named after the attributes."""
        names, data = _parts(source, rows)
        if not data:
            raise InputError(f"{source.name} has attributes and no rows below @data.")
        try:
            cells = pa_csv.read_csv(
                io.BytesIO(b"\n".join(data)),
                read_options=pa_csv.ReadOptions(column_names=names, block_size=64 * 1024**2),
                parse_options=pa_csv.ParseOptions(quote_char="'", escape_char="\\"),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid as error:
            what = str(error).partition("\n")[0]
            raise InputError(
                f"{source.name}: its data do not fit its {len(names)} attributes ({what[:150]})."
            ) from error
        columns = dict(zip(names, cells.columns, strict=True))
        return (text_table(source.name, columns, source),)


def _parts(source: SourceFile, rows: int | None) -> tuple[list[str], list[bytes]]:
    """Names of the attributes, and the lines of data without comments."""
    names: list[str] = []
    data: list[bytes] = []
    in_data = False
    with source.path.open("rb") as file:
        for line in file:
            stripped = line.strip()
            if not stripped or stripped.startswith(b"%"):
                continue
            if in_data:
                if stripped.startswith(b"{"):
                    raise InputError(f"{source.name} is sparse ARFF: save it in the dense form.")
                data.append(stripped)
                if rows is not None and len(data) >= rows:
                    break
                if len(data) % 1000 == 0:
                    check_shape(source, len(data), len(names))
            elif stripped.lower().startswith(b"@attribute"):
                found = _ATTRIBUTE.match(stripped.decode("utf-8", "replace"))
                if found is None:
                    raise InputError(
                        f"{source.name}: attribute {len(names) + 1} has no name or no type."
                    )
                names.append(found.group(1).strip("'\""))
                check_shape(source, 1, len(names))
            elif stripped.lower().startswith(b"@data"):
                in_data = True
    if not in_data or not names:
        raise InputError(f"{source.name} has no @data or no attributes: export it again.")
    return check_names(names, source), data
