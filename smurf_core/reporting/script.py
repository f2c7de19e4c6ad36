"""Writes a script that trains a run again and reports differences."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from smurf_core.results import RunResult

CONFIG, MAPPING = "config.json", "study.yaml"
_VERSIONS = "; ".join(
    ("from importlib.metadata import version", "import platform",
     "print(*(f'{n} {platform.python_version() if n == \"python\" else version(n)}'"
     " for n in ('python', 'torch', 'numpy', 'smurf-studio')), sep=', ')")
)  # fmt: skip


def rerun_script(
    name: str,
    study: str,
    result: RunResult,
    provenance: Mapping[str, Any],
    study_id: str,
    *,
    target: str = "",
) -> str:
    """A shell script that uses `config.json` and, if files were imported, `study.yaml`.

    It takes the paths of the feature files; data made in the app is identified by its study.
    `target` is what the run predicts, where the study has several targets.
    """
    sources = provenance.get("sources", [])
    versions = ", ".join(f"{key} {value}" for key, value in result.versions.items())
    lines = [
        "#!/usr/bin/env bash",
        f"# Trains {_comment(name)} again, on {_comment(study)}.",
        f"# Written with {versions}; trained on {result.device}, seed {result.config.seed}.",
        f"# The data's fingerprint (SHA-256): {result.data_fingerprint}",
    ]
    if sources:
        lines += ["#", "#   ./rerun.sh FILE...    with the files of the study:"]
        lines += [f"#     {_comment(s['name'])}  (SHA-256 {s['sha256']})" for s in sources]
    lines += ["set -euo pipefail", 'here="$(cd "$(dirname "$0")" && pwd)"']
    if sources:
        lines.append('[ $# -gt 0 ] || { echo "Name the feature files: see above." >&2; exit 2; }')
    else:
        lines.append(f"[ $# -gt 0 ] || set -- {shlex.quote(study_id)}")
    lines += [
        f"wanted={shlex.quote(versions)}",
        f"found=$(python3 -c {shlex.quote(_VERSIONS)})",
        '[ "$found" = "$wanted" ] || echo "Note: written with $wanted; here is $found. '
        'Numbers may differ." >&2',
        'smurf train "$@" '
        + (f'--mapping "$here/{MAPPING}" ' if sources else "")
        + (f"--target {shlex.quote(target)} " if target else "")
        + f'--config "$here/{CONFIG}" --expect-data {result.data_fingerprint}',
        "",
    ]
    return "\n".join(lines)


def _comment(text: str) -> str:
    """Text from users on one line, so that no character in it ends a comment."""
    return "".join(c if c.isprintable() else " " for c in text)
