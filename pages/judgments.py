"""What is unique to a modality for people, and for the model (Figure 3, Tables 3 and 4)."""

import numpy as np
import streamlit as st

from app.charts.scatter import scatter_with_line
from app.charts.theme import modality_colours, plain
from app.components.messages import facts, finished_run, told
from app.loading import contributions_of, dataset_of, human_agreement_of
from app.session import current_study
from smurf_core.contributions import subset_name
from smurf_core.evaluation.informativeness import informativeness_tests
from smurf_core.evaluation.judgments import unique_pairs

study = current_study()
st.title("Human judgments")
with told():
    dataset = dataset_of(study.id)
    if not dataset.judgments and not dataset.informativeness:
        st.info(
            "This study has no human judgments. Import a table with ratings by people who saw "
            "only some of the modalities, as columns called after the target (`val_y_A` beside "
            "`val_y_AV`), or name them in a study mapping (`judgments:`)."
        )
        st.stop()
    run = finished_run()
    contributions = contributions_of(run)
    if dataset.judgments:
        table = human_agreement_of(run)
        pairs = unique_pairs(contributions, dataset)
        names = [subset_name(pair.modalities) for pair in pairs]
        at = st.selectbox(
            "Unique to", range(len(names)), format_func=names.__getitem__, key=f"unique_{study.id}"
        )
        pair, row = pairs[at], table.to_dict("records")[at]
        interval = f"[{plain(row['ci_low'])}, {plain(row['ci_high'])}]"
        facts(
            {
                "Pearson's r": f"{plain(row['r'])} {interval}",
                "Spearman": plain(row["spearman"]),
                "p (Holm)": f"{row['p_holm']:.3g}",
                "Samples": f"{row['n']:,}",
                "Without a judgment": f"{row['missing']:,}",
                "Persons": f"{row['persons']:,}",
            }
        )
        judged = np.isfinite(pair.human)
        st.plotly_chart(
            scatter_with_line(
                pair.learned[judged],
                pair.human[judged],
                pair.sample_ids[judged],
                x_title=f"Learned: unique contribution of {names[at]}",
                y_title=f"Human: y − judgment from {subset_name(pair.judged)}",
                colour=modality_colours(contributions.modalities)[pair.modalities[0]],
            ),
            key="human_scatter",
            config={"displaylogo": False},
        )
        st.markdown(
            "Raters who could not see or hear a modality could not use what only it says: the "
            "target minus their rating is its human unique contribution. The interval is a "
            "bootstrap over persons, p allows for samples of one person being alike."
        )
        st.dataframe(table, hide_index=True, width="stretch", key="human_table")
    if dataset.informativeness:
        st.subheader("Informativeness")
        st.markdown(
            "Does taking a modality's unique contribution away change predictions more where "
            "people called it relevant or sufficient? Wilcoxon's rank-sum test, as in the paper."
        )
        st.dataframe(
            informativeness_tests(contributions, dataset), hide_index=True, width="stretch"
        )
