"""A run's report as one HTML file that opens without a network and without the app."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from vl_convert import vegalite_to_svg

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.explained import explained
from smurf_core.plot.report_figures import ReportFigure, image_files, printed, report_figures
from smurf_core.reporting.citation import BIBTEX
from smurf_core.reporting.findings import Findings, report_tables
from smurf_core.reporting.tables import Cell, ReportTable
from smurf_core.results import RunResult
from smurf_core.runs.store import RunInfo
from smurf_core.runs.wording import WordedFinding

_STYLE = """
body { font: 16px/1.5 Arial, sans-serif; color: #1a1a1a; background: #fff; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .25rem .7rem;
  text-align: left; } thead { border-block: 2px solid #1a1a1a; } tbody { border-bottom: 1px solid
  #1a1a1a; } caption { caption-side: bottom; text-align: left; color: #4a4a4a; }
.scroll { overflow-x: auto; } pre { overflow-x: auto; background: #f3f3f3; padding: 1rem; }
dl { display: grid; grid-template-columns: max-content auto; gap: .2rem 1rem; } dt { color:
  #4a4a4a; } dd { margin: 0; overflow-wrap: anywhere; } figure { margin: 1rem 0; }
figcaption { color: #4a4a4a; }
"""


def report_state(
    info: RunInfo, result: RunResult, dataset: MultimodalDataset, scope: str = "All samples"
) -> dict[str, str]:
    """The sources of a report, which it contains, so that it can be made again."""
    config = result.config
    return {
        "Study": dataset.name + ("" if dataset.origin == "recorded" else f" ({dataset.origin})"),
        "Target": dataset.target_name,
        "Run": f"{info.name} ({info.id})",
        "Note": info.note or "–",
        "Model": config.kind.title,
        "Samples": scope
        if scope == "All samples"
        else f"{scope}; performance, Table 5 and stability are for all tested samples",
        "Made": datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z"),
        "Seed": str(config.seed),
        "Search": f"preset {config.preset}, selection {config.selection}, standardisation "
        f"{config.scaling}, {config.restarts} restarts",
        "Versions": ", ".join(f"{name} {version}" for name, version in result.versions.items()),
        "Device": result.device,
        "Data (SHA-256)": result.data_fingerprint,
    }


def report_html(
    state: Mapping[str, str],
    sentences: Sequence[str],
    tables: Sequence[ReportTable],
    figures: Mapping[str, ReportFigure],
    findings: Sequence[WordedFinding] = (),
) -> str:
    """One self-contained file with plotly.js, figures and tables. All names are escaped.

    `findings` come first.
    """
    title = escape(f"{state['Study']}: {state['Run']}")
    facts = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in state.items())
    body = [
        f"<h1>{title}</h1>",
        f"<dl>{facts}</dl>",
        *_findings(findings, figures),
        "<h2>In words</h2>",
        f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>",
        *(_figure(name, figure) for name, figure in figures.items()),
        *(_table(table) for table in tables),
        f"<h2>Citation</h2><pre>{escape(BIBTEX.strip())}</pre>",
    ]
    kept = json.dumps(dict(state), ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style><script>{get_plotlyjs()}</script></head>"
        f"<body><main>{''.join(body)}</main>"
        f'<script type="application/json" id="state">{kept}</script></body></html>'
    )


def _findings(findings: Sequence[WordedFinding], figures: Mapping[str, ReportFigure]) -> list[str]:
    """The first part: every finding with its numbers, whether to believe it, and its figure."""
    parts = ["<h2>Findings</h2>"] if findings else []
    for one in findings:
        found = one.finding
        edited = (
            f"<p><small>Edited by hand. The computed sentence: {escape(found.sentence)}</small></p>"
            if one.is_edited
            else ""
        )
        numbers = "".join(
            f"<dt>{escape(number.what)}</dt><dd>{escape(number.text(found.unit))}"
            f"{'' if number.is_good else ' (not a finding)'}</dd>"
            for number in found.numbers
        )
        why = "".join(f"<li>{escape(reason)}</li>" for reason in found.belief)
        link = (
            f'<p><a href="#{found.figure}_title">{escape(figures[found.figure].title)}</a></p>'
            if found.figure in figures
            else ""
        )
        parts.append(
            f"<section><h3>{escape(found.question)}</h3><p><strong>{escape(one.text)}</strong></p>"
            f"{edited}<dl>{numbers}<dt>Number of samples</dt><dd>{escape(found.counted)}</dd></dl>"
            + (f"<p>Can I believe it?</p><ul>{why}</ul>" if why else "")
            + f"{link}</section>"
        )
    return parts


def _figure(name: str, figure: ReportFigure) -> str:
    drawn = figure.figure
    if isinstance(drawn, go.Figure):
        content = printed(drawn).to_html(
            full_html=False, include_plotlyjs=False, div_id=name,
            config={"displaylogo": False, "responsive": True},
        )  # fmt: skip
    else:
        content = vegalite_to_svg(drawn.to_dict())
    return (
        f'<h2 id="{name}_title">{escape(figure.title)}</h2><figure>{content}'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


def _table(table: ReportTable) -> str:
    width = len(table.header)
    rows = []
    for section in table.sections:
        if section.heading:
            rows.append(
                f'<tr><th colspan="{width}" scope="rowgroup">{escape(section.heading)}</th></tr>'
            )
        rows += [f"<tr>{''.join(map(_cell, row))}</tr>" for row in section.rows]
    header = "".join(f'<th scope="col">{escape(title)}</th>' for title in table.header)
    return (
        f'<h2>Table: {escape(table.title)}</h2><div class="scroll"><table><caption>'
        f"{escape(table.caption)}</caption><thead><tr>{header}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    for symbol, index in cell.indexed:
        text = text.replace(escape(f"{symbol}_{index}"), f"{symbol}<sub>{escape(index)}</sub>", 1)
    if cell.is_best:
        number, space, rest = text.partition(" ")
        text = f"<b>{number}</b>{space}{rest}"
    return f"<td>{text}</td>"


def figure_files(
    info: RunInfo,
    result: RunResult,
    dataset: MultimodalDataset,
    found: Findings,
    worded: Sequence[WordedFinding] = (),
) -> dict[str, bytes]:
    """Further files of a report: the page in HTML, and figures if they can be drawn.

    `worded` are the findings that the page begins with. Without Chromium, there is only the page,
    and a note on the reason.
    """
    figures = report_figures(found, explained(result, dataset), result)
    page = report_html(
        report_state(info, result, dataset), list(found.sentences), report_tables(found, dataset),
        figures, worded,
    )  # fmt: skip
    files = {"report.html": page.encode()}
    try:
        images = image_files(figures)
    except InputError as error:
        return files | {"figures/README.txt": f"{error}\n".encode()}
    return files | {f"figures/{name}": content for name, content in images.items()}
