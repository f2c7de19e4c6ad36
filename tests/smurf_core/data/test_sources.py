"""Sizes of tables are checked before they are read."""

from pathlib import Path

import pytest

from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.errors import InputError

_TABLE = SourceFile("study.parquet", Path("study.parquet"))


def test_a_table_of_a_hundred_thousand_samples_and_1433_features_may_be_read():
    check_shape(_TABLE, 100_000, 1_436)  # A limit of 100 million cells refused it.


def test_a_table_that_would_fill_the_memory_is_refused_with_its_size():
    # 1,000,000 × 2,000 × 8 bytes = 16e9 bytes = 14.9 GiB
    with pytest.raises(InputError, match=r"study\.parquet has 1,000,000 rows .* 14\.9 GiB"):
        check_shape(_TABLE, 1_000_000, 2_000)
