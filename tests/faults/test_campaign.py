"""A spread sample of the faults of docs/reliability.md; `python -m tests.faults` tries all."""

import os
import re
import subprocess
import sys

import pytest

from tests.faults.injecting import KINDS
from tests.faults.scenarios import SCENARIOS

COUNT = 200


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="Faults are injected on Linux.")
def test_a_fault_of_any_kind_at_any_step_loses_nothing():
    # A process of its own: it forks, which threads of other tests would not survive.
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", str(COUNT)],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^\| (.+?) \|(.+)\|$", done.stdout, flags=re.MULTILINE)
    table = {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}
    assert set(table) == {"work", "---", "all", *(scenario.name for scenario in SCENARIOS)}
    *kinds, faults, losses = map(int, table["all"])
    assert (len(kinds), faults, losses) == (len(KINDS), COUNT, 0)
    assert all(kinds)
