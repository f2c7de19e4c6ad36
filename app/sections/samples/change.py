"""Change a sample's features of one modality, and see which contributions move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.loading import contributions_of, result_of, verdicts_of
from app.loading_samples import feature_effects_of, suggestion_of
from app.sections.samples.card import ask_output
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.media import show_media
from app.widgets.messages import escaped, facts
from app.widgets.outlying import show_distance, show_outlying
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.samples import transcript_column
from smurf_core.plot.contributions import breakdown, change_steps, waterfall
from smurf_core.reporting.numbers import plain, signed, term_label
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo
from smurf_core.what_if import changed_contributions, changed_distances

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Change:
    """New features of one modality, [1, d], and the person within whom they are standardised."""

    modality: str
    features: FloatArray
    persons: Mapping[str, str] = field(default_factory=dict)


def show_what_if(
    sample: str, study: StudyInfo, dataset: MultimodalDataset, run: RunInfo, *, is_open: bool
) -> None:
    """Change what one modality says about a sample, and see which parts of the prediction move.

    Opens with the change that moves the prediction most.
    """
    _say(sample, dataset)
    show_outlying(sample, run)
    show_media(study, dataset, sample, width=320)
    output = ask_output(sample, run, dataset)
    change = _ask_change(sample, run, dataset, output)
    if change is not None:
        _show_change(sample, change, run, dataset, output, is_open=is_open)


def _ask_change(
    sample: str, run: RunInfo, dataset: MultimodalDataset, output: int
) -> Change | None:
    """Which modality is changed and how; None if there is nothing to change."""
    modalities = list(contributions_of(run).modalities)
    best = suggestion_of(run, sample, output, None)
    left, right = st.columns(2)
    modality = left.segmented_control(
        "Change", modalities, default=modalities[0] if best is None else best.modality,
        key=f"change_{run.id}_{sample}_{output}", required=True,
    )  # fmt: skip
    way = right.segmented_control(
        "How", ["Move features", "Take another sample's"], default="Move features",
        key="change_way", required=True,
        help="Another sample's modality makes a mismatched clip, such as a happy face with a sad "
        "voice, as in McGurk-like experiments.",
    )  # fmt: skip
    if way == "Move features":
        return _moved(sample, modality, run, dataset, output)
    return _swapped(sample, modality, run, dataset)


def _moved(
    sample: str, modality: str, run: RunInfo, dataset: MultimodalDataset, output: int
) -> Change | None:
    at = int(np.flatnonzero(dataset.sample_ids == sample)[0])
    if not dataset.features[modality].present[at]:
        st.info(
            f"{escaped(modality)} was not recorded for this sample: there are no features to move. "
            "Take another sample's instead."
        )
        return None
    suggested = suggestion_of(run, sample, output, modality)
    to = {} if suggested is None else dict(zip(suggested.features, suggested.values, strict=True))
    if suggested is not None:
        st.markdown(
            f"Suggested: the group *{escaped(suggested.group)}*, which moves this prediction most "
            f"of all groups of {escaped(modality)}, by {escaped(signed(suggested.moved))}."
        )
    effects = feature_effects_of(run, sample, modality, output)
    movable = effects[effects["low"] < effects["high"]]
    reach = {
        row["feature"]: f"{row['feature']} ({signed(row['effect'])})"
        for row in movable.to_dict("records")
    }
    chosen = st.multiselect(
        "Features, ordered by how far each alone can move this prediction",
        list(reach),
        default=[name for name in reach if name in to],
        format_func=reach.__getitem__,
        key=f"features_{run.id}_{sample}_{modality}_{output}",
        help="In brackets: how much the prediction changes when the feature goes from the 5th to "
        "the 95th percentile of its observed values while all others stay.",
    )
    values = dataset.features[modality].values[at].copy()
    names = list(dataset.features[modality].names)
    by_name = movable.set_index("feature")
    for name, place in zip(chosen, _places(len(chosen)), strict=True):
        row = by_name.loc[name]
        low, high = float(row["low"]), float(row["high"])
        recorded = float(np.clip(row["value"], low, high))
        moved = place.slider(
            f"{name} (recorded {plain(recorded)})",
            low, high, float(np.clip(to.get(name, recorded), low, high)),
            step=(high - low) / 200, format="%.3g",
            key=f"move_{run.id}_{sample}_{modality}_{output}_{name}",
        )  # fmt: skip
        if not np.isclose(moved, recorded, rtol=0, atol=(high - low) * 1e-6):
            values[names.index(name)] = moved
    return Change(modality, values[None])


def _swapped(sample: str, modality: str, run: RunInfo, dataset: MultimodalDataset) -> Change | None:
    have = dataset.sample_ids[dataset.features[modality].present]
    have = have[have != sample]
    if not len(have):
        st.info(f"No other sample has {escaped(modality)}.")
        return None
    donor = _asked_sample(
        f"Take {modality} from sample", f"donor_{run.id}_{modality}", str(have[0]), have
    )
    _say(donor, dataset)
    at = int(np.flatnonzero(dataset.sample_ids == donor)[0])
    persons = {} if dataset.persons is None else {modality: str(dataset.persons[at])}
    return Change(modality, dataset.features[modality].values[[at]], persons)


def _show_change(
    sample: str,
    change: Change,
    run: RunInfo,
    dataset: MultimodalDataset,
    output: int,
    *,
    is_open: bool,
) -> None:
    """Prediction before and after, every contribution that moved, and all of them in a table.

    With their verdicts, unless there is nothing to explain.
    """
    contributions = contributions_of(run)
    own = contributions.select(np.flatnonzero(contributions.sample_ids == sample))
    after = changed_contributions(
        result_of(run), dataset, sample, {change.modality: change.features},
        persons=change.persons,
    )  # fmt: skip
    if np.array_equal(
        change.features[0], dataset.features[change.modality].values[_at(dataset, sample)]
    ):
        after = own  # Nothing was moved: do not show rounding as a change.
    else:
        far = changed_distances(
            result_of(run), dataset, sample, {change.modality: change.features},
            persons=change.persons,
        )  # fmt: skip
        show_distance(far.iloc[0].to_dict(), run, what="The changed sample")
    parts = breakdown(own, 0, output), breakdown(after, 0, output)
    first, last = (float(p["value"].iloc[-1]) for p in parts)
    facts(_predictions(own, after, dataset) | {"Change": signed(last - first)})
    steps = change_steps(*parts)
    unit = dataset.target_name if dataset.task == "regression" else (
        f"Logit of {dataset.class_names[output]}"
    )  # fmt: skip
    left, right = st.columns([5, 4])
    left.plotly_chart(
        waterfall(steps, own.modalities, unit), key="change_waterfall",
        config=FIGURE_CONFIG,
        alt="Waterfall from the prediction before the change to the prediction after it",
    )  # fmt: skip
    table = pd.DataFrame(
        {
            "Part": parts[0]["part"],
            "before": parts[0]["value"],
            "after": parts[1]["value"],
            "change": parts[1]["value"] - parts[0]["value"],
        }
    )
    if is_open:
        verdicts = {
            term_label(row["modality"], row["shared_with"]): row["verdict"]
            for row in verdicts_of(run).to_dict("records")
        }
        table["verdict"] = [verdicts.get(part, "") for part in table["Part"]]
    shown = table.set_index("Part")
    written = shown.assign(
        before=[plain(v) for v in shown["before"]],
        after=[plain(v) for v in shown["after"]],
        change=[signed(v) if v else "" for v in shown["change"]],
    )
    right.table(written.rename(columns=str.capitalize))
    right.markdown(
        f"Only contributions that read {escaped(change.modality)} can move: each "
        "contribution depends on its own modality, so all others stay as they were."
    )
    with right:
        download_view(table, "what_if")


def _predictions(
    before: Contributions, after: Contributions, dataset: MultimodalDataset
) -> dict[str, str]:
    found = {}
    for title, contributions in (("Before", before), ("After", after)):
        prediction = contributions.prediction()[0]
        found[title] = (
            plain(float(prediction[0]))
            if dataset.task == "regression"
            else dataset.class_names[int(prediction.argmax())]
        )
    return found


def _asked_sample(title: str, key: str, start: str, known: npt.NDArray[np.str_]) -> str:
    """A text field for a sample's id; a list of 25,000 would be of no use."""
    sample = st.text_input(title, start, key=key, width=320).strip()
    if sample not in known:
        raise InputError(
            f"There is no sample {sample!r} here: type a sample id such as {known[0]!r}. The page "
            "Samples lists all ids."
        )
    return sample


def _say(sample: str, dataset: MultimodalDataset) -> None:
    transcript = transcript_column(dataset)
    said = dataset.samples[transcript].iloc[_at(dataset, sample)] if transcript else ""
    if isinstance(said, str) and said:
        st.markdown(f"“{escaped(said)}”")


def _at(dataset: MultimodalDataset, sample: str) -> int:
    return int(np.flatnonzero(dataset.sample_ids == sample)[0])


def _places(count: int) -> list[DeltaGenerator]:
    """Places side by side, three per line."""
    return [place for _ in range(0, count, 3) for place in st.columns(3)][:count]
