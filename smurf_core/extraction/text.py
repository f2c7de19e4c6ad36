"""Computes sentence embeddings with the sentence-transformers package and a local model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from smurf_core.errors import InputError
from smurf_core.extraction.packages import needed_package
from smurf_core.extraction.store import Array, Tool
from smurf_core.extraction.utterances import Utterance

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L12-v2"


class SentenceEmbedder:
    """One embedding per text, by a model from a folder or from the hub's cache.

    A model is downloaded only if `download` is set: nothing else here needs a network.
    """

    batch_size = 64

    def __init__(self, model: str = DEFAULT_MODEL, *, download: bool = False) -> None:
        self._model = _load(model, download)
        size = self._model.encode(["size"]).shape[1]
        width = len(str(size - 1))
        self.names: tuple[str, ...] = tuple(f"embedding_{d:0{width}d}" for d in range(size))
        package = needed_package("sentence_transformers")
        # Two models with the same name may differ, so the weights identify a model.
        options = {"weights": _weights_checksum(self._model), "length": self._model.max_seq_length}
        self.tool = Tool("sentence-transformers", str(package.__version__), options)

    def features(self, utterances: Sequence[Utterance]) -> Sequence[Array | InputError]:
        """The embedding of each text; an empty text has none."""
        texts = [utterance.text for utterance in utterances]
        said = [text for text in texts if text]
        embedded = iter(
            np.asarray(
                self._model.encode(said, batch_size=self.batch_size, show_progress_bar=False),
                dtype=np.float64,
            )
            if said
            else np.empty((0, len(self.names)))
        )
        return [
            next(embedded)
            if utterance.text
            else InputError(f"{utterance.sample_id} contains no text.")
            for utterance in utterances
        ]


def _load(model: str, download: bool) -> Any:
    package = needed_package("sentence_transformers")
    is_folder = Path(model).is_dir()
    try:
        return package.SentenceTransformer(model, local_files_only=is_folder or not download)
    except (OSError, ValueError) as error:
        if is_folder:
            raise InputError(
                f"{model} is not a folder of a sentence-transformers model: it needs modules.json, "
                "config.json, the tokenizer and the weights."
            ) from error
        if download:
            raise InputError(
                f"The model {model!r} could not be fetched: check its name and the network, or "
                "give the folder of a model on this machine with --model."
            ) from error
        raise InputError(
            f"The model {model!r} is not on this machine: add --download to fetch it (needs a "
            "network), or give the folder of a model with --model."
        ) from error


def _weights_checksum(model: Any) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
