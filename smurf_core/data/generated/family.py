"""How simulated studies of a family are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase

from smurf_core.data.generated.bends import BENDS, EVEN, Bend, straight


@dataclass(frozen=True)
class Family:
    """How studies of a family are drawn. Sets are written as letters: `AB` is held by A and B.

    Parameters
    ----------
    description
        What it asks of a method.
    modalities
        How many; named A, B, C…
    weights
        Set → weight of its factor in the target; 0: modalities hold it, but it is useless.
    features
        Observed features per modality; 0: the factors themselves, in random rotation.
    noise
        Standard deviation of each observed feature's own noise, beside factors of sd 1.
    r2
        Share of the target's variance that the factors explain; 1: all of it. At 0 the target is
        noise.
    sides
        Modality → further noise on everything that it holds of shared factors.
    correlation
        Of the unique factors with each other.
    bends
        How C sees what it shares, a name of `BENDS`; empty: as the others do. The target has the
        factors themselves.
    bends_target
        True if the target has shared factors as C sees them.
    product
        True if C's own factor is the product of A's and B's own.
    tails
        Degrees of freedom of Student's t of the factors; 0: normal.
    persons
        Number of persons, 0: none are known. Each has an offset in all factors and features.
    levels
        Number of ordinal levels that the target is cut into; 0: continuous.
    classes
        Frequencies of classes that are drawn from the softmax of the factors; none: regression.
    is_kept
        True if it was not looked at while methods and thresholds were chosen.
    """

    description: str
    modalities: int
    weights: Mapping[str, float]
    features: int = 6
    noise: float = 0.4
    r2: float = 0.7
    sides: Mapping[str, float] = field(default_factory=dict)
    correlation: float = 0.0
    bends: str = ""
    bends_target: bool = False
    product: bool = False
    tails: int = 0
    persons: int = 0
    levels: int = 0
    classes: tuple[float, ...] = ()
    is_kept: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Modalities: A, B, C…"""
        return tuple(ascii_uppercase[: self.modalities])

    @property
    def sharing(self) -> tuple[str, ...]:
        """The sets of two and more that share something useful."""
        if self.r2 == 0:
            return ()
        useful = [self.holders(held) for held, weight in self.weights.items() if weight]
        return tuple(held for held in dict.fromkeys(useful) if len(held) > 1)

    def view(self, letter: str, held: str) -> Bend:
        """How a modality sees a factor."""
        return BENDS[self.bends] if self.bends and len(held) > 1 and letter == "C" else straight

    def enters(self, held: str) -> Bend:
        """How a factor enters the target."""
        return BENDS[self.bends] if self.bends_target and len(held) > 1 else straight

    def holders(self, held: str) -> str:
        """Who can say what a factor brings to the target; C cannot if it sees the size only."""
        is_lost = self.bends in EVEN and not self.bends_target and len(held) > 1
        return held.replace("C", "") if is_lost else held
