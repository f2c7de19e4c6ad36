"""What every surface of a run says, as a reader sees it: pages, commands, HTML and LaTeX."""

import re
from collections.abc import Iterator

from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from smurf_core.cli.application import app
from tests.studio import opened_tab, plain_text

# What may not be said of a run that predicts nothing.
CLAIMS = (
    r"\bcarr(y|ies)\b .*\d", r"of its variance", r"\bis unique to one of them", r"\bleads?\b in",
    r"agree on what they share", r"\b(un)?stable\b", r"\breliable\b",
    # Shares in percent; intervals and bands are called 95% ones.
    r"\b(?!95\\?%)\d+(\.\d+)?\\?%",
)  # fmt: skip


def false_claims(words: str) -> list[str]:
    return [found.group() for claim in CLAIMS for found in re.finditer(claim, words)]


def said_by_page(page: AppTest) -> str:
    """A page's sentences, and the words and numbers of its tables, with every tab opened once."""
    return "\n".join(dict.fromkeys(_shown(state) for state in every_tab(page)))


def every_tab(page: AppTest) -> Iterator[AppTest]:
    """The page as it is, then with each of its tabs open: only the open one runs."""
    yield page
    (key,) = [name for name in page.session_state if name.endswith("_tab")] or [""]
    for title in [tab.label for tab in page.tabs] if key else ():
        yield opened_tab(page, key, title)


def _shown(page: AppTest) -> str:
    assert not page.error
    tables = [
        "\n".join(" ".join(map(str, row)) for row in table.value.reset_index().to_numpy())
        for table in (*page.dataframe, *page.table)
    ]
    return "\n".join([plain_text(page), *tables])


def said_by_command(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def said_in_html(page: str) -> str:
    """A report's text without scripts and styles, but with the labels of its figures."""
    labels = re.findall(r'"(?:text|x|y|title)":\s*(\[[^]]*\]|"[^"]*")', page)
    words = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)
    return "\n".join([re.sub(r"<[^>]+>", " ", words), *labels[-500:]])


def sections(page: AppTest) -> list[str]:
    """The keys of a page's figures, as far as they name one, with every tab opened once."""
    drawn = [chart.proto.id for state in every_tab(page) for chart in state.get("plotly_chart")]
    return list(dict.fromkeys(drawn))
