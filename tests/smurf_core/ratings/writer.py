"""A process that forks writers which save answers until they are killed: see `test_store.py`.

Each line on standard input is the tokens of one writer, with blanks between; its pid is printed,
then a line for every answer that was acknowledged.
"""

import hashlib
import os
import signal
import sys
from pathlib import Path

from smurf_core.ratings.answers import AnswerField
from smurf_core.ratings.store import Collection


def value_of(rater: int, position: int, clip: str, field: AnswerField) -> float:
    """The answer that belongs to this item and no other."""
    digest = hashlib.sha256(f"{rater}/{position}/{clip}/{field.key}".encode()).digest()
    if field.steps:
        return field.steps[digest[0] % len(field.steps)]
    return field.low + (field.high - field.low) * int.from_bytes(digest[:4]) / 2**32


def write(folder: Path, tokens: list[str]) -> None:
    """Answer everything of these raters, each answer twice; the second one must not count."""
    collection = Collection(folder)
    for token in tokens:
        state = collection.consent(token)
        while (position := collection.state(token).next) is not None:
            item = collection.item(token, position)
            right = {f.key: value_of(state.rater, position, item.clip, f) for f in item.fields}
            collection.save(token, position, item.clip, right)
            os.write(1, f"{state.rater} {position}\n".encode())
            collection.save(token, position, item.clip, {f.key: f.low for f in item.fields})


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            write(Path(sys.argv[1]), line.split())
            os._exit(0)
        os.write(1, f"pid {pid}\n".encode())
