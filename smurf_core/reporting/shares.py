"""The shares of variance of one output, as every surface shows them: one table, one set of marks.

Each share has its interval and its verdict. Where shares depend on single samples, the share
without these samples is shown beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from smurf_core.evaluation.influence import (
    ShareInfluence,
    influence_bound,
    influence_path,
    share_influence,
)
from smurf_core.evaluation.outlying import outlying_samples
from smurf_core.evaluation.redundancy import ShareIntervals
from smurf_core.explained import Explained
from smurf_core.reporting.influence_sentences import SMALLEST_CHANGE, influence_sentence
from smurf_core.reporting.numbers import interval_text, percent
from smurf_core.results import RunResult

_KEYS = ["order", "modality", "shared_with"]
_OF_TOTALS = ["order", "modality", "kind"]
_WITHOUT = ["share_without", "ci_low_without", "ci_high_without"]
_OF_VERDICTS = ["verdict", "reliability", "restart_r", "fold_r", "sign_agreement"]


@dataclass(frozen=True)
class OutputShares:
    """Shares of one output: of a class, of all classes together, or of the target."""

    output: str
    # One row per contribution that the model has: the columns of `share_intervals(…).terms`,
    # verdict, reliability, restart_r, fold_r, sign_agreement, and, if shares depend on single
    # samples, share_without, ci_low_without and ci_high_without.
    terms: pd.DataFrame
    # `share_intervals(…).totals`; in the same case with these columns, of sources.
    totals: pd.DataFrame
    # The samples that are left out in the columns `…_without`; empty where no share depends on any.
    left_out: tuple[str, ...] = ()
    influence: str = ""  # what `influence_sentence` says of them
    is_refitted: bool = field(default=False, kw_only=True)  # as in `ShareIntervals`

    @property
    def without(self) -> str:
        """The title of the shares without these samples: `without s17`; empty for none."""
        if len(self.left_out) < 2:
            return f"without {self.left_out[0]}" if self.left_out else ""
        return f"without {len(self.left_out)} samples"

    def written(self) -> pd.DataFrame:
        """Shares with their intervals as text: share and, if there is any, without."""
        columns = {"share": ""} | ({"without": "_without"} if self.left_out else {})
        return pd.DataFrame(
            {
                name: [
                    f"{percent(share, 1)} {interval_text(low, high)}".rstrip()
                    for share, low, high in self.terms[
                        [f"share{end}", f"ci_low{end}", f"ci_high{end}"]
                    ].itertuples(index=False)
                ]
                for name, end in columns.items()
            },
            index=self.terms.index,
        )


def output_shares(
    result: RunResult,
    shown: Explained,
    intervals: ShareIntervals,
    verdict_table: pd.DataFrame,
    *,
    output: str,
) -> OutputShares:
    """The shares of one output with their verdicts, and what single samples do to them.

    Parameters
    ----------
    result
        The run.
    shown
        The samples whose shares are shown.
    intervals, verdict_table
        `share_intervals` of these samples and `verdicts` of the run.
    output
        A class, the target, or `all` classes together.
    """
    terms, totals = (
        table[table["output"] == output] for table in (intervals.terms, intervals.totals)
    )
    terms = terms.merge(verdict_table[[*_KEYS, *_OF_VERDICTS]], on=_KEYS, how="left")
    if not result.config.kind.has_redundant_heads:  # They are zero everywhere.
        terms = terms[terms["kind"] == "unique"]
    influence, sentence = _decisive_samples(result, shown, intervals, output=output)
    if influence is None:
        return OutputShares(output, terms, totals, is_refitted=intervals.is_refitted)
    sources = influence.sources.assign(kind="both")
    return OutputShares(
        output,
        terms.merge(influence.terms[[*_KEYS, *_WITHOUT]], on=_KEYS, how="left"),
        totals.merge(sources[[*_OF_TOTALS, *_WITHOUT]], on=_OF_TOTALS, how="left"),
        influence.sample_ids,
        sentence,
        is_refitted=intervals.is_refitted,
    )


def _decisive_samples(
    result: RunResult, shown: Explained, intervals: ShareIntervals, *, output: str
) -> tuple[ShareInfluence | None, str]:
    """The shares without single samples on which they depend, and the sentence about them.

    None and an empty text where shares do not depend on single samples.
    """
    shares = intervals.terms.loc[intervals.terms["output"] == output, "share"]
    if len(shown) < 2 or shares.isna().any():
        return None, ""
    # Only where a share moves enough for a sentence are intervals of the rest needed. Of most data,
    # one pass shows that none does; leaving out sample by sample takes minutes.
    if influence_bound(shown, output) < SMALLEST_CHANGE:
        return None, ""
    if influence_path(shown, output).largest_change < SMALLEST_CHANGE:
        return None, ""
    influence = share_influence(shown, intervals, output=output)
    sentence = influence_sentence(influence, outlying_samples(result, shown))
    return (influence, sentence) if sentence else (None, "")
