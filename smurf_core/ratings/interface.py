"""The files and words of the rater's page: one YAML file per language in `languages`.

To add a language, copy `en.yaml` to a file that is named after the language and translate its
values; `tests/smurf_core/ratings/test_design.py` checks that no key and no placeholder is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import yaml

from smurf_core.errors import InputError

_FOLDER = Path(__file__).with_name("languages")
PAGE = Path(__file__).with_name("page")
PageFile = Literal["fields.js", "trace.js", "rater.js", "rater.css", "rater.html"]


@cache
def page_file(name: PageFile) -> str:
    """The text of a file of the rater's page."""
    return (PAGE / name).read_text(encoding="utf-8")


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a file, in the alphabet's order: `de`, `en`."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def interface_texts(language: str) -> Mapping[str, str]:
    """The texts of the rater's page by their keys; raises `InputError` for an unknown language."""
    if language not in languages():
        raise InputError(
            f"There is no language {language!r}; the rater's page has {', '.join(languages())}."
        )
    found = yaml.safe_load((_FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return MappingProxyType({str(key): str(text) for key, text in found.items()})
