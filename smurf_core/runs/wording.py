"""A user's own words for a run's findings, and which of them belong in its report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from smurf_core.durable import write_json
from smurf_core.errors import InputError
from smurf_core.people.guard import guarded
from smurf_core.reporting.key_findings import KeyFinding
from smurf_core.runs.disk import disk_error
from smurf_core.runs.workspace import Workspace

_FILE = "findings.json"
LONGEST = 1_000  # characters of a sentence


@dataclass(frozen=True)
class Wording:
    """What a user has changed of a run's findings, by the finding's name."""

    # Finding → the sentence that was edited, and the user's.
    edited: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()  # of the report

    def of(self, finding: KeyFinding) -> WordedFinding:
        """A finding in the user's words, if they are about its present sentence."""
        original, own = self.edited.get(finding.name, ("", ""))
        is_edited = bool(own) and original == finding.sentence
        return WordedFinding(finding, own if is_edited else finding.sentence, is_edited=is_edited)

    def outdated(self, finding: KeyFinding) -> str:
        """The user's words about an earlier sentence of a finding; empty if there are none."""
        original, own = self.edited.get(finding.name, ("", ""))
        return own if original != finding.sentence else ""


@dataclass(frozen=True)
class WordedFinding:
    """A finding as a report shows it."""

    finding: KeyFinding
    text: str
    is_edited: bool = False

    @property
    def marked(self) -> str:
        """The text; after one that was edited, a remark with the computed sentence."""
        if not self.is_edited:
            return self.text
        return f"{self.text} (Edited by hand. The computed sentence: {self.finding.sentence})"


@guarded("viewer", "run")
def read_wording(workspace: Workspace, run_id: str) -> Wording:
    """A run's wording; what was not changed is as computed.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    path = workspace.run_folder(run_id) / _FILE
    if not path.exists():
        return Wording()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        edited = {str(n): (str(pair[0]), str(pair[1])) for n, pair in found["edited"].items()}
        return Wording(edited, frozenset(map(str, found["left_out"])))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read: delete it to return to the computed sentences."
        ) from error


@guarded("editor", "run")
def edit_finding(workspace: Workspace, run_id: str, finding: KeyFinding, text: str) -> None:
    """Keep the user's sentence for a finding; the computed one, or none, undoes the edit."""
    own = " ".join(text.split())
    if len(own) > LONGEST:
        raise InputError(f"The sentence has {len(own):,} characters: use at most {LONGEST:,}.")
    now = read_wording(workspace, run_id)
    edited = {name: pair for name, pair in now.edited.items() if name != finding.name}
    if own and own != finding.sentence:
        edited[finding.name] = (finding.sentence, own)
    _write(workspace, run_id, replace(now, edited=edited))


@guarded("editor", "run")
def tick_finding(workspace: Workspace, run_id: str, name: str, *, in_report: bool) -> None:
    """Take a finding into the report, or leave it out."""
    now = read_wording(workspace, run_id)
    left_out = now.left_out - {name} if in_report else now.left_out | {name}
    _write(workspace, run_id, replace(now, left_out=left_out))


@guarded("viewer", "run")
def reported(
    workspace: Workspace, run_id: str, findings: Iterable[KeyFinding]
) -> tuple[WordedFinding, ...]:
    """The findings that are ticked for the report (all, unless the user has left some out)."""
    wording = read_wording(workspace, run_id)
    return tuple(wording.of(one) for one in findings if one.name not in wording.left_out)


def _write(workspace: Workspace, run_id: str, wording: Wording) -> None:
    plain = {"edited": dict(wording.edited), "left_out": sorted(wording.left_out)}
    try:
        write_json(plain, workspace.run_folder(run_id) / _FILE)
    except OSError as error:
        raise disk_error(error, workspace.root) or error from error
