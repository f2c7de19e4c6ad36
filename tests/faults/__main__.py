"""Tries faults: `python -m tests.faults [COUNT] [SEED]`; all without a count. Prints a table."""

import sys

from tests.faults.campaign import run

if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(run(*given))
