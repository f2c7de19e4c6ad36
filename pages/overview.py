"""Who contributes how much to the predictions of a run."""

import streamlit as st

from app.explanations import explain
from app.loading import contributions_of, dataset_of, share_intervals_of, stability_of
from app.sections.overview import headline, pinned_shares, scores, share_table, shown_output
from app.state.navigation import page_path
from app.state.selection import run_pinned_beside, scope_picker
from app.state.session import current_study
from app.widgets.messages import escaped, finished_run, told
from app.widgets.slice_metrics import slice_metrics
from smurf_core.plot.shares import alone_first, largest_terms, shares_with_intervals
from smurf_core.reporting.sentences import overview_sentences

study = current_study()
st.title("Overview")
run = finished_run()
with told():
    dataset, contributions = dataset_of(study.id), contributions_of(run)
    pinned = run_pinned_beside(run)
    headline(study, run, pinned, len(contributions))
    scope = scope_picker(study, dataset)
    scores(run, pinned, dataset, scope)

    st.subheader("What carries the prediction", help=explain("share", "share_interval", "verdict"))
    intervals = share_intervals_of(run, scope.key)
    output = shown_output(run, contributions)
    separates = run.config.kind.has_redundant_heads
    agreement = stability_of(run)
    terms, totals = (
        table[table["output"] == output] for table in (intervals.terms, intervals.totals)
    )
    if not separates:
        terms, agreement = (t[t["kind"] == "unique"] for t in (terms, agreement))
    name = output if output in contributions.outputs and len(contributions.outputs) > 1 else ""
    for sentence in overview_sentences(terms, agreement, totals, name):
        st.markdown(f"- {escaped(sentence)}")
    terms = terms.merge(
        agreement[["order", "modality", "shared_with", "verdict", "restart_r", "fold_r"]],
        on=["order", "modality", "shared_with"],
    )
    if pinned is not None:
        beside = pinned_shares(pinned, scope, output)
        terms = terms.merge(beside, how="left", on=["order", "modality", "shared_with"])
    terms = alone_first(terms)
    drawn = largest_terms(terms)
    st.plotly_chart(
        shares_with_intervals(drawn, totals, contributions.modalities),
        key="shares",
        config={"displaylogo": False},
        alt="Shares of the prediction's variance with intervals; the table below has the numbers.",
    )
    drawn_over = "persons" if dataset.groups is not None else "samples (no persons are known)"
    left_out = f" The {len(terms) - len(drawn)} smallest are in the table only."
    st.markdown(
        "Plain bars: what a modality says alone; hatched: what it says together with another one. "
        f"Whiskers and brackets: 95% intervals over {intervals.persons:,} {drawn_over}, "
        f"{intervals.draws:,} draws. ✓ restarts and folds agree, ✗ they do not, or on no "
        "separation; asked of all samples." + (left_out if len(drawn) < len(terms) else "")
    )
    with st.expander("Numbers"):
        share_table(terms)
    with st.expander("Scores of every slice"):
        slice_metrics(study, dataset, contributions)
    st.page_link(page_path("samples"), label="Look at single samples", icon=":material/search:")
