"""Random studies of several tables whose true join is known: keys, orders, spellings, decoys.

`python tests/smurf_core/data/importing/random_joins.py 20000` draws that many, prints how many were
joined as pandas joins them on the true key and how many were refused, and every other outcome.
"""

import sys
import tempfile
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError

KINDS = ("clips", "paths", "names", "padded", "counting", "numbers", "large", "dotted", "pair",
         "triple", "joined")  # fmt: skip
NAMES = ("id", "sample_id", "clip", "filename", "utt_id", "segment_id", "Key")
SPELLINGS = {
    "case": str.upper,
    "suffix": lambda text: f"{text}.wav",
    "other suffix": lambda text: f"{text}.mp4",
    "folder": lambda text: f"data/raw/{text}",
    "blanks": lambda text: f"{text[:2]} {text[2:]}",
    "unicode": lambda text: unicodedata.normalize("NFD", text),
    "zeros": lambda text: text.lstrip("0") or "0",
    "point": lambda text: f"{text}.0",
    "folder and suffix": lambda text: f"wav/{text}.WAV",
}
FEATURES = 3


@dataclass(frozen=True)
class Draw:
    """Tables as they are written, and what pandas makes of them on the true key."""

    tables: dict[str, pd.DataFrame]
    expected: pd.DataFrame  # one row per sample: valence and all features
    must_be_refused: bool
    about: str


def draw(seed: int) -> Draw:
    """A random study."""
    random = np.random.default_rng(seed)
    n = int(random.integers(14, 41))
    kind = str(random.choice(KINDS))
    truth = _truth(kind, n, random)
    columns = list(truth.columns)
    about = [kind]
    shared = _shared(n, random)
    tables: dict[str, pd.DataFrame] = {}
    merged: dict[str, pd.DataFrame] = {}
    has_counter = random.random() < 0.4
    counter = str(random.choice(["id", "nr", "index", "sample", "row_number"]))
    if counter in columns:
        has_counter = False
    renames = random.random() < 0.3
    order = str(random.choice(["own", "same", "one"]))
    for name in ("labels", "audio", "video"):
        rows = np.arange(n)
        if order == "own" or (order == "one" and name == "audio"):
            rows = random.permutation(rows)
        if random.random() < 0.3:
            rows = rows[: n - int(random.integers(1, 4))]
        keys = truth.iloc[rows].reset_index(drop=True)
        if name == "labels":
            values = pd.DataFrame({"valence": shared["valence"][rows]})
        else:
            values = pd.DataFrame(
                random.normal(size=(len(rows), FEATURES)).round(4),
                columns=[f"{name}_f{k}" for k in range(FEATURES)],
            )
        merged[name] = pd.concat([pd.Series(rows, name="row"), values], axis=1)
        spelled = keys
        if name != "labels" and random.random() < 0.4:
            spelled, how = _spelled(keys, kind, random)
            about.append(f"{name}: {how}")
        if renames and len(columns) == 1 and name != "labels":
            spelled = spelled.set_axis([str(random.choice(NAMES))], axis=1)
        if kind == "joined" and name != "labels":
            spelled = pd.DataFrame({"id": keys["video_id"] + "$_$" + keys["clip_id"]})
        extra = {c: shared[c][rows] for c in shared if c != "valence" and random.random() < 0.5}
        if "duration" in extra:
            extra["duration"] = extra["duration"].round(int(random.integers(2, 5)))
        table = pd.concat([spelled, pd.DataFrame(extra), values], axis=1)
        table = table.loc[:, ~table.columns.duplicated()]
        if has_counter and counter not in table:
            table.insert(0, counter, np.arange(len(table)) + 1)
        tables[name] = table
    must_be_refused = _spoiled(tables, columns, kind, random, about)
    expected = merged["labels"]
    for name in ("audio", "video"):
        expected = expected.merge(merged[name], on="row", how="left")
    features = [c for c in expected if c not in ("row", "valence")]
    expected = expected[expected[features].notna().any(axis=1)]
    return Draw(tables, expected, must_be_refused, ", ".join([*about, f"order {order}"]))


def _truth(kind: str, n: int, random: np.random.Generator) -> pd.DataFrame:
    """The columns that name the samples, in the order of the samples."""
    name = str(random.choice(NAMES))
    numbers = random.permutation(n)
    match kind:
        case "clips":
            return pd.DataFrame({name: [f"clip{k:03d}" for k in numbers]})
        case "paths":
            return pd.DataFrame({name: [f"s{k % 3}/clip{k // 3:02d}.wav" for k in numbers]})
        case "names":
            return pd.DataFrame({name: [f"José_{chr(97 + k % 26)}{k // 26}x" for k in numbers]})
        case "padded":
            return pd.DataFrame({name: [f"{k + 1:03d}" for k in numbers]})
        case "counting":
            return pd.DataFrame({name: [str(k + 1) for k in range(n)]})
        case "numbers":
            picked = random.choice(np.arange(1000, 5000), n, replace=False)
            return pd.DataFrame({name: [str(k) for k in picked]})
        case "large":
            return pd.DataFrame({name: [str(1290000000000000000 + 3 * int(k)) for k in numbers]})
        case "dotted":
            return pd.DataFrame({name: [f"{k // 12 + 1}.{k % 12 + 1}" for k in numbers]})
        case "pair":
            return pd.DataFrame({"participant": [f"P{k // 6 + 1:02d}" for k in numbers],
                                 "trial": [str(k % 6 + 1) for k in numbers]})  # fmt: skip
        case "triple":
            return pd.DataFrame({"subject": [f"P{k // 9 + 1}" for k in numbers],
                                 "session": [str(k // 3 % 3 + 1) for k in numbers],
                                 "trial": [str(k % 3 + 1) for k in numbers]})  # fmt: skip
        case _:
            return pd.DataFrame({"video_id": [f"video_{k // 5:04d}" for k in numbers],
                                 "clip_id": [f"{k % 5:04d}" for k in numbers]})  # fmt: skip


def _shared(n: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Values that several tables repeat, in the order of the samples."""
    return {
        "valence": random.permutation(n) + random.uniform(0.01, 0.4, n).round(3),
        "duration": random.uniform(1, 9, n).round(4),
        "gender": random.choice(["f", "m"], n),
        "age": random.integers(18, 60, n),
        "comment": np.array([f"take {k}" for k in random.permutation(n)]),
    }


def _spelled(
    keys: pd.DataFrame, kind: str, random: np.random.Generator
) -> tuple[pd.DataFrame, str]:
    """The keys with another spelling that leaves them different from each other."""
    possible = {
        "clips": ["case", "suffix", "other suffix", "folder", "blanks", "folder and suffix"],
        "paths": ["case", "folder"],
        "names": ["case", "suffix", "unicode", "folder", "folder and suffix"],
        "padded": ["zeros", "suffix", "folder"],
        "counting": ["point", "suffix"],
        "numbers": ["point", "suffix", "folder"],
        "large": ["suffix"],
    }
    if kind not in possible:
        return keys, "as it is"
    how = str(random.choice(possible[kind]))
    return keys.map(SPELLINGS[how]), how


def _spoiled(
    tables: dict[str, pd.DataFrame],
    columns: list[str],
    kind: str,
    random: np.random.Generator,
    about: list[str],
) -> bool:
    """Sometimes a fault that no join can repair; True if it must be refused."""
    what = random.random()
    audio, labels = tables["audio"], tables["labels"]
    if what < 0.1:
        both = [c for c in ("duration", "gender", "comment") if c in audio and c in labels]
        if both and len(audio) > 10:
            shuffled = audio[both[0]].to_numpy().copy()
            shuffled = np.roll(shuffled, 3)
            if (shuffled != audio[both[0]].to_numpy()).any():
                tables["audio"] = audio.assign(**{both[0]: shuffled})
                about.append(f"{both[0]} in another order")
                return True
    if what < 0.2:
        names = [c for c in audio if not c.startswith("audio_f")]
        tables["audio"] = audio.drop(columns=names)
        about.append("no key in audio")
        return True
    return False


def outcome(made: Draw, folder: Path) -> str:
    """`joined`, `refused`, or what is wrong."""
    for name, table in made.tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    sources = find_sources([folder / f"{name}.csv" for name in made.tables])
    known = StudyMapping(
        target="valence",
        task="regression",
        files={"labels.csv": "labels", "audio.csv": "modality", "video.csv": "modality"},
    )
    try:
        data = assemble(sources, guess_mapping(sources, known)).dataset
    except InputError as error:
        return f"refused: {error}"
    if made.must_be_refused:
        return "wrong: it was joined"
    expected = made.expected
    if len(data) != len(expected):
        return f"wrong: {len(data)} samples, not {len(expected)}"
    place = pd.Index(expected["valence"].to_numpy(np.float32)).get_indexer(data.target)
    expected = expected.iloc[place]
    for name in ("audio", "video"):
        features = data.features[name]
        names = [f"{name}_f{k}" for k in range(FEATURES)]
        unknown = [c for c in features.names if c not in (*names, "duration", "age")]
        if unknown:
            return f"wrong: features {unknown}"
        there = expected[names].notna().all(axis=1).to_numpy()
        if not np.array_equal(features.present, there):
            return f"wrong: {name} is there for other samples"
        for column in names:
            own = features.values[there, features.names.index(column)]
            if not np.array_equal(own, expected[column].to_numpy(np.float32)[there]):
                return f"wrong: {column} is of other samples"
    return "joined"


def main(count: int, first: int = 0) -> int:
    """Print the outcomes of many draws; the number of wrong ones is returned."""
    counts: Counter[str] = Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            made = draw(seed)
            found = outcome(made, Path(folder))
            kind = found.partition(":")[0]
            if kind == "refused" and not made.must_be_refused:
                kind = "refused although a join exists"
                if "-v" in sys.argv:
                    print(seed, made.about, found)
            counts[kind] += 1
            if "-v" in sys.argv and sum(counts.values()) % 50 == 0:
                print(dict(counts))
            if kind == "wrong":
                wrong += 1
                print(seed, made.about, found)
    print(dict(counts))
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:3] else 0)))
