"""Parquet and Feather."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.broken_files.cases import case, good_table, of_bytes


@case("study.parquet", "is empty")
def _empty_parquet(folder):
    return of_bytes(folder, "study.parquet", b"")


@case("study.parquet", "damaged", "Parquet")
def _cut_parquet(folder):
    good_table().to_parquet(folder / "whole.parquet")
    return of_bytes(folder, "study.parquet", (folder / "whole.parquet").read_bytes()[:900])


@case("study.parquet", "column 'audio_vector'", "unequal lengths", "its own column")
def _ragged_vectors_in_parquet(folder):
    table = good_table().assign(audio_vector=[[1.0, 2.0], [1.0]] * 12)
    table.to_parquet(folder / "study.parquet")
    return [folder / "study.parquet"]


@case("study.feather", "damaged", "Feather")
def _cut_feather(folder):
    good_table().to_feather(folder / "whole.feather")
    return of_bytes(folder, "study.feather", (folder / "whole.feather").read_bytes()[:700])


@case("study.parquet", "20,000,000 rows of 16 columns", "at most")
def _parquet_bomb(folder):
    # Equal numbers take next to no room in the file.
    column = pa.array(np.zeros(20_000_000, dtype=np.int8))
    columns = {f"audio_{i}": column for i in range(16)}
    pq.write_table(pa.table(columns), folder / "study.parquet")
    return [folder / "study.parquet"]
