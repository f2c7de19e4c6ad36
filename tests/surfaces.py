"""What every surface of a run says, as a reader sees it: pages, commands, HTML and LaTeX."""

import re

from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from smurf_core.cli.application import app
from tests.studio import plain_text

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
    """A page's sentences, and the words and numbers of its tables."""
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
    """The keys of a page's figures, as far as they name one."""
    return [chart.proto.id for chart in page.get("plotly_chart")]
