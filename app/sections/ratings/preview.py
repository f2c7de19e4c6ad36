"""A question as raters see it, drawn by the script and the styles of the raters' page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from smurf_core.ratings.design import Condition, Scale
from smurf_core.ratings.interface import page_file
from smurf_core.ratings.rater_items import previewed

_SCRIPT = """
export default function ({ parentElement, data }) {
  const shown = JSON.stringify(data);
  if (parentElement.shown === shown) return;
  parentElement.shown = shown;
  const trace = data.trace && traceOf(data.trace, null, () => {}).element;
  const fields = data.fields.map((field, at) => fieldOf(field, at, undefined, () => {}));
  const main = make("main", [trace, ...fields]);
  parentElement.querySelector("main")?.remove();
  parentElement.append(main);
}
"""
_rendered = st.components.v2.component(
    "smurf_question",
    js="\n".join([page_file("fields.js"), page_file("trace.js"), _SCRIPT]),
    css=page_file("rater.css"),
)


def question_preview(
    scale: Scale, conditions: Sequence[Condition], *, language: str, key: str
) -> None:
    """The question as it is asked; what is answered here is kept nowhere."""
    st.markdown(":small[What raters see. You can try it; answers here are not kept.]")
    _rendered(key=key, data=previewed(scale, conditions, language))
