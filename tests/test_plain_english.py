"""Words and phrases that a native speaker would not write, in everything that we wrote.

`python tests/test_plain_english.py` lists every place with what to write instead.
"""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("app", "pages", "smurf_core", "tests", "docs", "data", "benchmarks", ".ci", ".streamlit")
SUFFIXES = {".py", ".md", ".toml", ".yml", ".ipynb", ".txt", ".cff", ""}
# This list itself, what is generated or fetched, and texts that others wrote.
LEFT_OUT = {"tests/test_plain_english.py", "LICENSE"}

_THING = (
    "(?:sample|clip|modality|worker|fold|file|run|person|page|gpu|batch|tower|epoch|start|restart|"
    "noun|class|output|column|row|study|video|utterance|recording|line|pair|term|member|model|"
    "step|process|product|rater|format|person and video)"
)
# What is not to be written → what to write. Underscores count as spaces, so that names are read.
PHRASES = {
    r"told": "shown, reported, warned, said",
    r"(?<!too small to )tells?(?! you)": "shows, reports, warns, says",
    r"mend(?:s|ed|ing)?": "fix, correct",
    r"speaks": "is used, is selected",
    rf"(?:one|an?|each|every) [\w-]+ (?-i:an?) {_THING}": "one … per …",
    rf"(?:bytes|operations|lines|seconds|rows|numbers|times|threads?) (?-i:an?) {_THING}": "per",
    r"(?:take|takes|taken|taking) along": "export",
    r"shown for": "filter",
    r"look(?:s|ed|ing)? inside": "open",
    r"(?:is|are) called so": "is marked as",
    r"called (?:by|as it)": "named after",
    r'"""whether': "True if …",
    r", too(?=[^\w ]|$| [(\[])": "also, before the verb",
    r"only then": "subject, verb, object",
    r"eats?": "distorts",
    r"(?:stand|stands|stood) (?:beside|above|below|in the|on the|at)": "is shown, is",
    r"(?:hold|holds|held) against": "compare with",
    r"(?:says|said) so": "shows a note",
    r"to be had": "available",
    r"who (?:reads|types|wants|knows|keeps|uses) (?:it|this|or|a|the|more)": "a reader who …",
}
_PATTERNS = {
    re.compile(
        pattern if pattern[0] in ',"' else rf"(?<![a-z])(?:{pattern})(?![a-z])", re.I
    ): instead
    for pattern, instead in PHRASES.items()
}


def files() -> Iterator[Path]:
    """Every text that we wrote."""
    top = (path for path in ROOT.iterdir() if path.is_file())
    inside = (path for place in PLACES for path in (ROOT / place).rglob("*") if path.is_file())
    for path in sorted([*top, *inside]):
        name = path.relative_to(ROOT).as_posix()
        generated = "__pycache__" in name or name.startswith(("docs/build/", "tests/fixtures/"))
        if path.suffix in SUFFIXES and name not in LEFT_OUT and not generated:
            yield path


def text_of(path: Path) -> str:
    """The text on one line: sentences go on over lines, comment signs and parts of strings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = text.replace("\\n", " ")
    if path.suffix in {".py", ".ipynb"}:
        text = re.sub(r'(?<!")"\s*\n\s*f?"(?!")', "", text)
    return re.sub(r"\s+(?:#:? )?", " ", text).replace("_", " ")


def occurrences(path: Path) -> list[str]:
    """What is to be reworded in a file, with a few words around it."""
    text = text_of(path)
    return [
        f"…{text[max(0, match.start() - 40) : match.end() + 30]}… → {instead}"
        for pattern, instead in _PATTERNS.items()
        for match in pattern.finditer(text)
    ]


def to_reword() -> dict[str, list[str]]:
    found = {path.relative_to(ROOT).as_posix(): occurrences(path) for path in files()}
    return {name: places for name, places in found.items() if places}


def test_everything_is_written_in_plain_english():
    wrong = to_reword()
    assert not wrong, "\n".join(f"{name}: {place}" for name, ps in wrong.items() for place in ps)


def test_a_phrase_is_found_across_lines_and_in_names(tmp_path):
    # Without joining lines, a phrase that the formatter had wrapped was missed.
    file = tmp_path / "example.py"
    file.write_text('# One row a\n# sample.\ntext = "You can take "\n    "along"\nis_told = 1\n')
    assert len(occurrences(file)) == 3


def test_usual_english_passes(tmp_path):
    file = tmp_path / "example.md"
    file.write_text(
        "Recommended, too many speakers, one row per sample, retold amends, a cluster A run"
    )
    assert not occurrences(file)


if __name__ == "__main__":
    for file_name, places in to_reword().items():
        print(f"{file_name}\n  " + "\n  ".join(places))
