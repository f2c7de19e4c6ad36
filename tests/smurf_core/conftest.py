from dataclasses import replace

import pytest

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs.studies import add_study
from smurf_core.runs.workspace import Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def study(workspace) -> str:
    return add_study(workspace, synthetic_additive(samples=60))


@pytest.fixture
def config() -> RunConfig:
    """Trains in a moment."""
    grid = Grid((5e-3, 2e-2), ((), (4,)), (0.0,), (0.5,))
    return replace(
        RunConfig.from_preset("quick"), preset="custom", grid=grid, max_epochs=20, restarts=2
    )


@pytest.fixture
def long_config(config) -> RunConfig:
    """Trains for minutes, unless it is stopped; its first units take a moment."""
    return replace(config, max_epochs=200_000, patience=None)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A language model with random weights and nine words, in a folder."""
    reason = "needs the extra [extract]"
    transformers = pytest.importorskip("transformers", reason=reason)
    pytest.importorskip("sentence_transformers", reason=reason)
    import torch

    folder = tmp_path_factory.mktemp("model")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "so", "nice", "not", "good"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=16,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder / "bert")
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    return folder / "bert"
