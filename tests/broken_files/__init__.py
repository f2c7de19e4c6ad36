"""Files that users give by mistake or with bad intent, made when a test asks for them.

Each case of `BROKEN_FILES` says what its message must contain: most are refused with one clear
sentence, and some are read correctly with a problem that says what was done. The library, the
command line and the app are all tested with the same cases.
"""

# Each file adds its cases when it is imported.
from tests.broken_files import (  # noqa: F401
    arrays,
    columnar,
    contents,
    hdf5,
    pickles,
    readable,
    text_files,
    workbooks,
)
from tests.broken_files.cases import BROKEN_FILES, CODE_RAN, BrokenFile, good_table

__all__ = ["BROKEN_FILES", "CODE_RAN", "BrokenFile", "good_table"]
