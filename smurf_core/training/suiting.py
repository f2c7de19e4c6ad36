"""Settings that cannot be trained on a data set: refused by form, command line and training."""

from __future__ import annotations

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError


def check_suits(dataset: MultimodalDataset, config: RunConfig) -> None:
    """Refuse settings that cannot be trained on a data set, before anything is.

    Raises
    ------
    InputError
        If the data set lacks, or has, the outputs of a given model; or if principal components
        are asked for where contributions could not be traced back to features.
    """
    if config.kind.explains_outputs and not dataset.given_outputs:
        raise InputError(
            f"{dataset.name!r} has no outputs of a given model: name them with `smurf explain "
            "--output MODALITY=COLUMN`, or choose another kind of model."
        )
    multiplies = config.kind.multiplies_embeddings and not all(config.grid.hidden_layers)
    if config.components is not None and multiplies:
        raise InputError(
            f"{config.kind.title} without hidden layers multiplies features, which principal "
            "components cannot be traced back to: give it hidden layers, or train on all features."
        )
    if config.components is not None and config.kind.explains_outputs:
        raise InputError(
            "Outputs of a given model are followed in all features: leave out the principal "
            "components."
        )
    if dataset.given_outputs and not config.kind.explains_outputs:
        raise InputError(
            f"{dataset.name!r} contains the outputs of a given model, which would be features of "
            f"{config.kind.title}: choose the kind `explained`, or import the files without them."
        )
