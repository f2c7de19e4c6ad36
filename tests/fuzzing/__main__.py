"""Tries changed files on demand: `python -m tests.fuzzing COUNT [SEED] [FOLDER for findings]`."""

import faulthandler
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

from tests.fuzzing.trying import try_files

if __name__ == "__main__":
    faulthandler.enable()
    warnings.simplefilter("ignore")
    given = sys.argv[1:]
    keep = Path(given[2]) if len(given) > 2 else None
    with tempfile.TemporaryDirectory() as made:
        print(f"The file of the moment is in {made}.", flush=True)
        tried = try_files(
            int(given[0]), Path(made), seed=int(given[1]) if len(given) > 1 else 0, keep=keep
        )
    kinds = Counter(finding.error.strip().splitlines()[-1][:120] for finding in tried.findings)
    shown: set[str] = set()
    for finding in tried.findings:
        kind = finding.error.strip().splitlines()[-1][:40] + finding.name
        if kind not in shown:
            shown.add(kind)
            print(f"{finding.name}, number {finding.number}:\n{finding.error}\n")
    print(f"{tried.read} read, {tried.refused} refused, {len(tried.findings)} findings, "
          f"{tried.grown / 1024**2:.0f} MiB more memory")  # fmt: skip
    for kind, number in kinds.most_common():
        print(f"{number:6}  {kind}")
    sys.exit(bool(tried.findings))
