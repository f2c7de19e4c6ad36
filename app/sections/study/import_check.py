"""What an import will do: joins, problems, and how each problem is handled."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.widgets.messages import escaped, facts, show_problems
from smurf_core.data.importing.assembly import Assembly, assemble
from smurf_core.data.importing.fold_origin import fold_sentence
from smurf_core.data.importing.mapping import StudyMapping, mapping_text
from smurf_core.data.importing.matching import TableJoin
from smurf_core.data.problems import Problem
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

# Files up to this total size are read immediately; larger ones when the user asks for it.
_AT_ONCE_BYTES = 20 * 1024**2


def checked(
    sources: Sequence[SourceFile],
    mapping: StudyMapping,
    key: str,
    *,
    is_asked: bool,
    unread: Sequence[Problem] = (),
) -> Assembly | None:
    """The data set that these files make, or None until the user asks for large files.

    It is read once per change of the mapping; an error in it is raised each time.
    """
    state = (key, mapping_text(mapping))
    held = st.session_state.get("checked_import")
    if held is None or held[0] != state:
        st.session_state.pop("checked_import", None)
        if not is_asked and must_be_asked(sources):
            return None
        bar = st.progress(0.0, text="Reading and checking the files…")

        def report(share: float, what: str) -> None:
            bar.progress(min(max(share, 0.0), 1.0), text=f"{escaped(what)}…")

        try:
            found: Assembly | InputError = assemble(
                sources, mapping, progress=report, unread=unread
            )
        except InputError as error:
            found = error
        finally:
            bar.empty()
        st.session_state["checked_import"] = held = (state, found)
    if isinstance(held[1], InputError):
        raise held[1]
    assembly: Assembly = held[1]
    return assembly


def must_be_asked(sources: Sequence[SourceFile]) -> bool:
    """True if these files are too large to be read again at every change of the form."""
    return sum(source.path.stat().st_size for source in sources) > _AT_ONCE_BYTES


def forget_check() -> None:
    """Forget the data set that was read for a check."""
    st.session_state.pop("checked_import", None)


def show_check(assembly: Assembly, key: str) -> None:
    """What the study will contain, how its files match, and which problems were handled."""
    dataset = assembly.dataset
    st.markdown("##### What will be imported")
    persons = "–" if dataset.persons is None else f"{len(set(dataset.persons.tolist())):,}"
    facts(
        {
            "Samples": f"{len(dataset):,}",
            "Persons": persons,
            "Target": ", ".join(dataset.target_names),
            "Task": dataset.task,
            "Features": ", ".join(
                f"{name} {features.values.shape[1]:,}"
                for name, features in dataset.features.items()
            ),
        }
    )
    st.markdown(f"**Folds**: {escaped(fold_sentence(dataset, assembly.mapping))}.")
    show_join(assembly, key)
    st.markdown("**Problems, and how they are handled**")
    show_problems(assembly.problems)
    st.markdown(
        ":small[Nothing else is changed. Features keep their own units; training standardises "
        "them on each training fold.]"
    )


def show_join(assembly: Assembly, key: str) -> None:
    """Some rows of each file as they will stand together, and why these rows belong together."""
    if not assembly.join_sentences:
        return
    st.markdown("**How the files are joined**")
    st.dataframe(assembly.joined_rows, hide_index=True, width="stretch", key=f"joined_rows_{key}")
    st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in assembly.join_sentences))
    _show_unmatched(assembly.joins, key)


def _show_unmatched(joins: Sequence[TableJoin], key: str) -> None:
    """What does not match, in either direction."""
    apart = [join for join in joins if join.absent or join.extra]
    if not apart:
        return
    with st.expander("Rows and samples that do not match"):
        st.dataframe(
            pd.DataFrame(
                {
                    "File": [join.table for join in joins],
                    "Rows": [join.rows for join in joins],
                    "Match a sample": [join.matched for join in joins],
                    "Samples without a row": [join.absent for join in joins],
                    "Rows without a sample": [join.extra for join in joins],
                }
            ),
            hide_index=True,
            width="stretch",
            key=f"joins_{key}",
        )
        st.dataframe(
            pd.DataFrame(
                [
                    (join.table, what, sample)
                    for join in apart
                    for what, ids in (
                        ("sample without a row", join.absent_ids),
                        ("row without a sample", join.extra_ids),
                    )
                    for sample in ids
                ],
                columns=["File", "What", "Sample id"],
            ),
            hide_index=True,
            width="stretch",
            height=220,
            key=f"unmatched_{key}",
        )
        most = max(max(join.absent, join.extra) for join in apart)
        listed = max(max(len(join.absent_ids), len(join.extra_ids)) for join in apart)
        if most > listed:
            st.markdown(f"The first {listed:,} of each kind.")
