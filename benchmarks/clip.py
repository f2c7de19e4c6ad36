"""What clipping standardised features does to accuracy and shares, and whom it marks.

`python -m benchmarks.clip DATA --standardisation within_person` trains the quick preset on the same
data (files or a folder) without a clip and with several, and prints a line for each: the paper's
metric (mean ± sd over folds), log loss or RMSE, every modality's share of variance, the largest
change of a share when the most influential samples (0.5%, at least one) are left out, and how
many samples lie beyond the bound.
"""

import argparse
from pathlib import Path
from typing import get_args

from smurf_core.configuration import RunConfig, Standardisation
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.evaluation.influence import share_influence
from smurf_core.evaluation.metrics import METRICS
from smurf_core.evaluation.outlying import outlying_samples
from smurf_core.evaluation.performance import performance
from smurf_core.evaluation.redundancy import share_intervals
from smurf_core.explained import explained
from smurf_core.model_kinds import MODEL_KINDS
from smurf_core.training.run import train_run


def dataset_of(name: str) -> MultimodalDataset:
    """Read from files as the import form proposes it; by position if no column names samples."""
    sources = find_sources([Path(name)])
    return assemble(sources, guess_mapping(sources, StudyMapping(match="position"))).dataset


def line(dataset: MultimodalDataset, config: RunConfig) -> str:
    """Train with one bound; its row of the table."""
    result = train_run(dataset, config, jobs=2)
    scores = performance(result, dataset).set_index("metric")
    main = next(iter(METRICS[result.task]))
    error = "rmse" if result.task == "regression" else "log_loss"
    found = explained(result, dataset)
    intervals = share_intervals(found)
    influence = share_influence(found, intervals)
    shares = influence.path.pivot_table("share", "modality", "left_out", sort=False)
    moved = (shares.iloc[:, -1] - shares[0]).abs()
    far = outlying_samples(result, found)["is_far"]
    cells = [
        "none" if config.clip is None else f"{config.clip:g}",
        *(f"{scores.loc[m, 'mean']:.3f} ± {scores.loc[m, 'sd']:.3f}" for m in (main, error)),
        ", ".join(f"{name} {share:.0%}" for name, share in shares[0].items()),
        f"{moved.max():.0%} ({moved.idxmax()})",
        f"{far.sum()} of {len(far)}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Train with every bound and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="files' folder")
    parser.add_argument("--model", choices=MODEL_KINDS, default="smurf_normalised")
    parser.add_argument("--clip", type=float, nargs="*", default=[3.0, 5.0, 8.0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--standardisation", choices=get_args(Standardisation), default="training_fold"
    )
    asked = parser.parse_args()
    dataset = dataset_of(asked.data)
    metric = next(iter(METRICS[dataset.task]))
    error = "RMSE" if dataset.task == "regression" else "log loss"
    print(f"{dataset.name}: {len(dataset)} samples, {asked.model}, {asked.standardisation}, seed "
          f"{asked.seed}")  # fmt: skip
    print(f"| clip | {metric} | {error} | shares | moved by 0.5% of samples | marked |")
    print("|---|---|---|---|---|---|")
    for clip in [None, *asked.clip]:
        config = RunConfig.from_preset(
            "quick", asked.model, seed=asked.seed, device="cpu", clip=clip,
            standardisation=asked.standardisation,
        )  # fmt: skip
        print(line(dataset, config), flush=True)


if __name__ == "__main__":
    main()
