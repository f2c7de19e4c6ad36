"""The kinds of model as a table: one row contains everything specific to a kind. Imports no torch.

To add a kind, add a row here. The row names an object in `smurf_core/losses` that defines what the
kind adds to the task loss; `docs/how-to/add-a-loss.md` shows both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ModelKind = Literal[
    "late_fusion",
    "e_hgr",
    "smurf_no_aux",
    "smurf",
    "smurf_normalised",
    "mro_smurf",
    "mro_smurf_subsets",
    "mro_smurf_normalised",
    "exclusive",
    "explained",
]

# What the app and `smurf train` offer first. If the true contributions are known, this kind
# recovers them best, and it predicts nearly as well as the others (docs/results.md).
DEFAULT_MODEL: ModelKind = "exclusive"
# The published method: the default reference of comparisons.
REFERENCE_MODEL: ModelKind = "smurf"
# The columns of the paper's Table 2; the reference is trained last, so that it is the newest.
PAPER_MODELS: tuple[ModelKind, ...] = ("late_fusion", "e_hgr", "smurf_no_aux", "smurf")
# λ of the normalised losses grows over this many epochs. These losses are steep where contributions
# are small: at full weight they would fix the signs of the initial weights.
_GROWTH_EPOCHS = 50


@dataclass(frozen=True, kw_only=True)
class ModelTraits:
    """Everything that is specific to a kind of model: one row of `MODEL_KINDS`.

    Parameters
    ----------
    name
        Its short title, for narrow spaces.
    description
        One or two sentences that help the user choose.
    is_extension
        True if it is not in the paper.
    has_redundant_heads
        True if it outputs redundant contributions; late fusion has one head per modality.
    has_interactions
        True if it separates non-additive interactions of two and more modalities (MRO).
    multiplies_embeddings
        True if interactions are linear in products of unimodal embeddings. The released code
        builds MRO-SMURF that way; the paper's appendix has one network for each subset of
        modalities (eq. 23-26).
    auxiliary_loss
        Its auxiliary loss as `module:object`; empty if it has none. The object is loaded when
        training starts, so that this table does not need torch.
    growth_epochs
        λ grows over this many epochs; 0: every epoch trains with all of λ.
    is_solved
        True if it is the solution of a convex problem on fixed features (`smurf_core.exclusive`),
        with sets of any number of modalities; the others are trained.
    explains_outputs
        True if it explains a late-fusion model that was trained elsewhere, whose outputs of each
        modality are in the data (`MultimodalDataset.given_outputs`), instead of predicting.
    always_standardises_target
        True if a regression target is standardised even where features are not. The normalised
        losses have no unit, so their weight against the task loss must not depend on the target's.
    """

    name: str
    description: str
    is_extension: bool = False
    has_redundant_heads: bool = True
    has_interactions: bool = False
    multiplies_embeddings: bool = False
    auxiliary_loss: str = ""
    growth_epochs: int = 0
    is_solved: bool = False
    explains_outputs: bool = False
    always_standardises_target: bool = False

    @property
    def title(self) -> str:
        """The name that pages, tables and reports show."""
        return f"{self.name} (extension)" if self.is_extension else self.name

    @property
    def has_auxiliary_loss(self) -> bool:
        """True if training adds a loss to the task's (section 4.3: else λ = 0)."""
        return bool(self.auxiliary_loss)

    @property
    def has_weight(self) -> bool:
        """True if λ means anything."""
        return self.has_auxiliary_loss or self.is_solved

    @property
    def has_subset_networks(self) -> bool:
        """True if interactions come from one network for each subset of modalities."""
        return self.has_interactions and not self.multiplies_embeddings

    def share_of_weight(self, epoch: int) -> float:
        """The share of λ that an epoch (counted from 1) trains with; validation uses the full λ."""
        return min(1.0, epoch / self.growth_epochs) ** 2 if self.growth_epochs else 1.0

    def first_counted_epoch(self, max_epochs: int) -> int:
        """The first epoch whose weights may be kept: the first one that trains with the full λ.

        Earlier epochs hardly enforce a factorisation, even if their objective is low.
        """
        return max(1, min(self.growth_epochs, max_epochs))


def kinds_for(explains_outputs: bool) -> tuple[ModelKind, ...]:
    """The kinds that a study can be given to: its own models, or those that explain given outputs.

    Examples
    --------
    >>> kinds_for(explains_outputs=True)
    ('explained',)
    """
    return tuple(
        kind for kind, row in MODEL_KINDS.items() if row.explains_outputs == explains_outputs
    )


# In the order in which users see them.
MODEL_KINDS: dict[ModelKind, ModelTraits] = {
    "late_fusion": ModelTraits(
        name="Late fusion",
        description="One contribution per modality: the plain baseline.",
        has_redundant_heads=False,
    ),
    "e_hgr": ModelTraits(
        name="E-HGR",
        description="Correlates the modalities' hidden layers (soft-HGR) in place of their "
        "contributions.",
        auxiliary_loss="smurf_core.losses.soft_hgr:SOFT_HGR",
    ),
    "smurf_no_aux": ModelTraits(
        name="SMURF w/o L_cor + L_uncor",
        description="The same heads as SMURF without its two losses: shows what they change.",
    ),
    "smurf": ModelTraits(
        name="SMURF",
        description="As published: unique and redundant contributions, shaped by L_uncor and L_cor "
        "(eq. 10-15).",
        auxiliary_loss="smurf_core.losses.published:PUBLISHED",
    ),
    "smurf_normalised": ModelTraits(
        name="SMURF, normalised",
        description="Unique and redundant contributions. Our extension of the paper's losses: of "
        "the trained kinds, it recovers the true contributions best where they are known "
        "(docs/results.md).",
        is_extension=True,
        auxiliary_loss="smurf_core.losses.normalised:ADDITIVE",
        growth_epochs=_GROWTH_EPOCHS,
        always_standardises_target=True,
    ),
    "mro_smurf": ModelTraits(
        name="MRO-SMURF",
        description="Adds non-additive interactions of two and more modalities, from products of "
        "embeddings.",
        has_interactions=True,
        multiplies_embeddings=True,
        auxiliary_loss="smurf_core.losses.published:PUBLISHED",
    ),
    "mro_smurf_subsets": ModelTraits(
        name="MRO-SMURF, subset networks",
        description="Like MRO-SMURF, but with one network for each subset of modalities.",
        has_interactions=True,
        auxiliary_loss="smurf_core.losses.published:PUBLISHED",
    ),
    "mro_smurf_normalised": ModelTraits(
        name="MRO-SMURF, normalised",
        description="MRO-SMURF (products of embeddings) with our extension's losses.",
        is_extension=True,
        has_interactions=True,
        multiplies_embeddings=True,
        auxiliary_loss="smurf_core.losses.normalised:INTERACTIONS",
        growth_epochs=_GROWTH_EPOCHS,
        always_standardises_target=True,
    ),
    "exclusive": ModelTraits(
        name="Exclusive",
        description="What each modality says alone and what any set of them shares, with "
        "intervals. There is one solution, so nothing depends on random starts. Only sets whose "
        "members agree on samples that did not train them are kept. Our extension.",
        is_extension=True,
        is_solved=True,
        always_standardises_target=True,
    ),
    "explained": ModelTraits(
        name="Given model, explained",
        description="Explains a late-fusion model that you trained elsewhere: the outputs of each "
        "modality, which are in the study's files, are split into exclusive contributions.",
        is_extension=True,
        is_solved=True,
        explains_outputs=True,
        always_standardises_target=True,
    ),
}
