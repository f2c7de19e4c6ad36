"""Tables as LaTeX (booktabs), safe for any text from users and files."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from smurf_core.reporting.gallery import IN_WORDS
from smurf_core.reporting.tables import Cell, ReportTable

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    # Without braces, two of them would become a dash or a quotation mark.
    "-": "{-}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "ŷ": r"$\hat{y}$", "±": r"$\pm$", "↓": r"$\downarrow$", "↑": r"$\uparrow$",
    "⇓": r"$\Downarrow$", "⇑": r"$\Uparrow$", "−": r"$-$",
    "→": r"$\rightarrow$", "←": r"$\leftarrow$", "≤": r"$\leq$", "≥": r"$\geq$",
    "≈": r"$\approx$", "≠": r"$\neq$", "×": r"$\times$", "·": r"$\cdot$", "√": r"$\surd$",
    "∞": r"$\infty$", "Σ": r"$\Sigma$", "²": r"$^2$", "³": r"$^3$", "°": r"$^\circ$",
    "µ": r"$\mu$", "–": "--", "—": "---", "…": r"\ldots{}", "“": "``", "”": "''", "‘": "`",
    "’": "'", "„": r"\quotedblbase{}", "«": r"\guillemotleft{}", "»": r"\guillemotright{}",
    "€": r"\texteuro{}", "\u00a0": "~", "\t": " ", "\n": " ", "\r": " ",
}  # fmt: skip
_GREEK = {
    chr(code): f"$\\{unicodedata.name(chr(code)).rpartition(' ')[2].lower()}$"
    for code in (*range(0x03B1, 0x03BF), *range(0x03C0, 0x03C2), *range(0x03C3, 0x03CA))
} | {"λ": r"$\lambda$", "Δ": r"$\Delta$", "Λ": r"$\Lambda$", "Ω": r"$\Omega$", "Φ": r"$\Phi$"}
# Letters of the T1 encoding beyond ASCII, which pdflatex sets.
_LETTERS = frozenset(map(chr, range(0xC0, 0x100))) - {"÷"} | frozenset(
    "ĂăĄąĆćČčĎďĐđĘęĚěĞğİıĹĺĽľŁłŃńŇňŊŋŐőŒœŔŕŘřŚśŞşŠšŤťŮůŰűŸŹźŻżŽž"
)

PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{textcomp}
\usepackage{booktabs}
\usepackage{graphicx}
\usepackage[margin=2cm]{geometry}
"""


def escape(text: str) -> str:
    """Any text as LaTeX for pdflatex; a character without a glyph becomes [U+4E2D]."""
    return "".join(map(_character, unicodedata.normalize("NFC", text)))


def _character(character: str) -> str:
    known = _SPECIAL.get(character) or _GREEK.get(character)
    if known:
        return known
    code = ord(character)
    is_known = 0x20 <= code < 0x7F or character in _LETTERS
    return character if is_known else f"[U+{code:04X}]"


def tabular(table: ReportTable) -> str:
    """A table as a `table` environment with booktabs' rules, as in the paper."""
    columns = "l" + "".join(_column(title) for title in table.header[1:])
    lines = [
        f"% {table.title}; needs \\usepackage{{booktabs, graphicx, textcomp}} and "
        "\\usepackage[T1]{fontenc}.",
        r"\begin{table}",
        r"\centering",
        f"\\caption{{{escape(table.caption)}}}",
        f"\\label{{tab:{table.name.replace('_', '-')}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        f"\\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _line(escape(title) for title in table.header),
        r"\midrule",
    ]
    for k, section in enumerate(table.sections):
        if k:
            lines.append(r"\addlinespace")
        if section.heading:
            lines.append(
                f"\\multicolumn{{{len(table.header)}}}{{l}}"
                f"{{\\textit{{{escape(section.heading)}}}}} \\\\"
            )
        lines += [_line(map(_cell, row)) for row in section.rows]
    lines += [r"\bottomrule", r"\end{tabular}}", r"\end{table}", ""]
    return "\n".join(lines)


def document(
    tables: Sequence[ReportTable],
    title: str,
    sentences: Sequence[str] = (),
    findings: Sequence[str] = (),
) -> str:
    """A complete document: findings, sentences, and the tables, from files in the same folder."""
    words = _section("Findings", findings) + _section("In words", sentences)
    inputs = "\n".join(f"\\input{{{table.name}}}" for table in tables)
    return (
        f"{PREAMBLE}\\title{{{escape(title)}}}\n\\date{{}}\n"
        f"\\begin{{document}}\n\\maketitle\n{words}{inputs}\n\\end{{document}}\n"
    )


def _section(title: str, sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    items = "\n".join(f"\\item {escape(sentence)}" for sentence in sentences)
    return f"\\section*{{{title}}}\n\\begin{{itemize}}\n{items}\n\\end{{itemize}}\n"


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    text = _indexed(cell) if cell.indexed else escape(cell.text)
    if cell.is_best:
        number, space, rest = text.partition(" ")
        return f"\\textbf{{{number}}}{space}{rest}"
    return text


def _indexed(cell: Cell) -> str:
    """Symbols with their indices: r(ŷ_V, y − y_A+T) of a human judgment, ŷ_A,B of an example."""
    symbols = [f"{_SYMBOLS[name]}_{{\\mbox{{\\scriptsize {escape(i)}}}}}"
               for name, i in cell.indexed]  # fmt: skip
    if cell.text.startswith("r("):
        return f"$r({symbols[0]}, y - {symbols[1]})$"
    return ", ".join(f"${symbol}$" for symbol in symbols)


_SYMBOLS = {"ŷ": r"\hat{y}", "y": "y"}


def _column(title: str) -> str:
    """A column's alignment: sentences are wrapped."""
    if title == IN_WORDS:
        return "p{60mm}"
    return "l" if title in ("Transcript", "Verdict", "Contribution") else "c"
