"""`streamlit` that notes how long its scripts take: `python -m benchmarks.timed_server FILE run …`.

Each run of a page adds a line to the file: when it ended (seconds since 1970), how long it took,
the processor time of its thread, and 1 if only a fragment of the page ran.
"""

import sys
import time
from pathlib import Path

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.web.cli import main


def note_times(file: Path) -> None:
    """Note each run of a script from now on."""
    run = ScriptRunner._run_script

    def timed(self: ScriptRunner, rerun_data: RerunData) -> None:
        began, worked = time.perf_counter(), time.thread_time()
        try:
            run(self, rerun_data)
        finally:
            is_part = bool(rerun_data.fragment_id or rerun_data.fragment_id_queue)
            took, worked = time.perf_counter() - began, time.thread_time() - worked
            with file.open("a") as lines:
                lines.write(f"{time.time():.3f} {took:.4f} {worked:.4f} {is_part:d}\n")

    ScriptRunner._run_script = timed  # type: ignore[method-assign]


if __name__ == "__main__":
    note_times(Path(sys.argv.pop(1)))
    main()
