"""Recovery of the true factors of synthetic data (section 5.1, appendix A)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.generated.synthetic import derived_factor, redundant_factor, unique_factor
from smurf_core.errors import InputError
from smurf_core.explained import Explained
from smurf_core.statistics.correlation import pearson_between
from smurf_core.terms import Term, modality_subsets, spoken, subset_name

Array = npt.NDArray[np.float64]

NO_FACTOR = "0"  # the table's entry for a contribution that has no true factor


def recovery(explained: Explained) -> pd.DataFrame:
    """Correlation of each learned contribution with the true factor that it should equal.

    The true factor of a unique contribution of I is u_I, plus every r_IX whose X is hidden from the
    model, because only I contains these (the paper's bimodal setting). That of a redundant
    contribution is r_IJ, or `r_IJ|I` if I observes it with noise; that of a set of three and more
    likewise (`r_ABC`). A factor whose set the model has no term for appears in `factor_matrix`
    only. The true factors of interactions
    are products: `u_A*u_B` is unique to A+B, `u_C*r_AB` is redundant between A+C and B+C. If the
    target consists of products, only terms of order 2 are listed.

    Pearson's r is computed within each fold and averaged over the folds, because each fold has its
    own model. For classes, factors and contributions are first centred over the classes, because
    the softmax does not depend on what all classes have in common.

    Returns
    -------
    DataFrame
        One row per term and output: modality, shared_with, kind (`unique` | `redundant`), factor
        (such as `u_A + r_AC`; `0` if there is none), output, r (NaN if the factor is 0, and 0 if
        the contribution is 0), order, sd (of the contribution), factor_sd.
    """
    contributions = explained.contributions
    learned, factors = _aligned(explained)
    folds = contributions.folds
    wanted = _truths(contributions.terms, contributions.modalities, factors)
    rows = []
    for term, parts in wanted.items():
        estimate = learned[:, contributions.position(term)]
        truth = _sum(parts, factors, estimate.shape)
        r = _within_folds(truth[:, None], estimate[:, None], folds)[0, 0]
        order, modality, shared_with = term.names
        rows += [
            {
                "modality": modality,
                "shared_with": shared_with,
                "kind": "unique" if modality == shared_with else "redundant",
                "factor": " + ".join(parts) or NO_FACTOR,
                "output": output,
                "r": r[c],
                "order": order,
                "sd": estimate[:, c].std(),
                "factor_sd": truth[:, c].std(),
            }
            for c, output in enumerate(contributions.outputs)
        ]
    return pd.DataFrame(rows)


def mean_recovery(explained: Explained) -> float:
    """The paper's average r between true factors and learned contributions (section 5.1).

    Contributions without a true factor have no r and are left out.
    """
    return float(recovery(explained)["r"].mean())


def factor_matrix(explained: Explained) -> pd.DataFrame:
    """Correlation of each true factor with each learned contribution of the same output.

    One row per factor, term and output: factor, order, modality, shared_with, kind, output, r.
    Factors that no visible modality contains are also listed. Folds and classes as in `recovery`.
    """
    contributions = explained.contributions
    learned, factors = _aligned(explained)
    truths = np.stack(list(factors.values()), axis=1)  # [n, factors, c]
    r = _within_folds(truths, learned, contributions.folds)
    names = contributions.term_names()
    terms = pd.DataFrame(names, columns=["order", "modality", "shared_with"])
    terms["kind"] = np.where(terms["modality"] == terms["shared_with"], "unique", "redundant")
    table = (
        pd.DataFrame({"factor": list(factors)})
        .merge(terms, how="cross")
        .merge(pd.DataFrame({"output": contributions.outputs}), how="cross")
    )
    table["r"] = r.reshape(-1)
    return table


def factor_words(factor: str, names: Sequence[str]) -> str:
    """A true factor as figures call it: what it is unique to, or who shares it.

    `names` are all modalities of the data, hidden ones included. Other names stay as they are.

    Examples
    --------
    >>> [factor_words(name, ["A", "B"]) for name in ("u_A", "r_AB", "r_AB|B", "u_A*u_B", "mood")]
    ['A alone', 'A and B', 'A and B, as B has it', 'A alone × B alone', 'mood']
    """
    if "*" in factor:
        return " × ".join(factor_words(part, names) for part in factor.split("*"))
    whole, _, seen = factor.partition("|")
    unique = whole.removeprefix(unique_factor(""))
    held = _holders(whole, names)
    words = f"{unique} alone" if unique in names else spoken(held) if held else whole
    return f"{words}, as {seen} has it" if seen else words


def _aligned(explained: Explained) -> tuple[Array, dict[str, Array]]:
    """Terms [n, t, c], and factors [n, c] by their name without a class."""
    contributions, dataset = explained.contributions, explained.dataset
    if not dataset.factors:
        raise InputError(
            f"{dataset.name!r} has no true factors; only synthetic data can be verified."
        )
    learned = contributions.identified_terms()
    classes = [f"[{name}]" for name in contributions.outputs]
    columns = classes if contributions.is_classification else [""]
    parts = [name.removesuffix(columns[0]) for name in dataset.factors if name.endswith(columns[0])]
    missing = [p + c for p in parts for c in columns if p + c not in dataset.factors]
    if missing or not parts:
        raise InputError(
            f"The true factors of {dataset.name!r} do not fit the outputs "
            f"{', '.join(contributions.outputs)}: {', '.join(missing) or 'none fits'}."
        )
    factors = {
        part: np.stack(
            [explained.aligned(dataset.factors[part + c]) for c in columns], axis=1
        ).astype(float)
        for part in parts
    }
    if contributions.is_classification:
        factors = {name: f - f.mean(axis=1, keepdims=True) for name, f in factors.items()}
    return learned, factors


def _truths(
    terms: tuple[Term, ...], modalities: tuple[str, ...], factors: Mapping[str, Array]
) -> dict[Term, list[str]]:
    """Term → names of the factors whose sum it should equal (empty if there are none)."""
    if not any("*" in name for name in factors):
        known = _additive_truths(modalities, factors)
        return {
            term: known.get((term.source[0], frozenset(s for (s,) in term.sharers)), [])
            for term in terms
            if term.order == 1
        }
    if not any(term.order == 2 for term in terms):
        raise InputError(
            "The target consists of products of factors, which a model without interactions cannot "
            "represent; train MRO-SMURF on this data set."
        )
    products = _product_truths(modalities, factors)
    return {term: products.get(term.names, []) for term in terms if term.order == 2}


def _additive_truths(
    modalities: tuple[str, ...], factors: Mapping[str, Array]
) -> dict[tuple[str, frozenset[str]], list[str]]:
    """(Modality, all visible modalities that share) → names of its true factors."""
    prefix = unique_factor("")
    everyone = [name.removeprefix(prefix) for name in factors if name.startswith(prefix)]
    everyone = [*modalities, *(name for name in everyone if name not in modalities)]
    shared = [(name, _holders(name, everyone)) for name in factors if "|" not in name]
    # What is shared with hidden modalities alone is unique; factors in the order of these.
    shared = sorted(
        ((name, held) for name, held in shared if len(held) > 1),
        key=lambda factor: sorted(map(everyone.index, set(factor[1]) - set(modalities))),
    )
    truths: dict[tuple[str, frozenset[str]], list[str]] = {}
    for i in modalities:
        own = [unique_factor(i)] if unique_factor(i) in factors else []
        truths[i, frozenset([i])] = own
        for name, held in shared:
            if i in held:
                derived = derived_factor(name, i)
                seen = truths.setdefault((i, frozenset(held) & frozenset(modalities)), [])
                seen.append(derived if derived in factors else name)
    return truths


def _holders(factor: str, names: Sequence[str]) -> tuple[str, ...]:
    """The modalities that hold a shared factor, from its name: `r_ABC`, or `r_audio_text`.

    Nothing for other factors, and where the name is not made of `names`.
    """
    if not factor.startswith("r_"):
        return ()
    return _parts(factor.removeprefix("r_"), names) or ()


def _parts(text: str, names: Sequence[str]) -> tuple[str, ...] | None:
    """Different names that a text consists of, one after the other or with `_` between them."""
    if not text:
        return ()
    for name in sorted(names, key=len, reverse=True):
        if text.startswith(name):
            left = [other for other in names if other != name]
            rest = _parts(text[len(name) :].removeprefix("_"), left)
            if rest is not None:
                return (name, *rest)
    return None


def _product_truths(
    modalities: tuple[str, ...], factors: Mapping[str, Array]
) -> dict[tuple[int, str, str], list[str]]:
    pairs = modality_subsets(modalities, 2)
    truths: dict[tuple[int, str, str], list[str]] = {}
    for first, second in [(p, p) for p in pairs] + list(combinations(pairs, 2)):
        in_both = [name for name in first if name in second]
        if first == second:
            i, j = first
            candidates = [
                f"{unique_factor(i)}*{unique_factor(j)}",
                f"{unique_factor(j)}*{unique_factor(i)}",
            ]
        elif len(in_both) == 1:
            (y,) = set(first) - set(in_both)
            (z,) = set(second) - set(in_both)
            u = unique_factor(in_both[0])
            shared = [redundant_factor(y, z), redundant_factor(z, y)]
            candidates = [f"{u}*{r}" for r in shared] + [f"{r}*{u}" for r in shared]
        else:
            candidates = []
        parts = [name for name in candidates if name in factors]
        truths[2, subset_name(first), subset_name(second)] = parts
        truths[2, subset_name(second), subset_name(first)] = parts
    return truths


def _sum(parts: list[str], factors: Mapping[str, Array], shape: tuple[int, ...]) -> Array:
    return np.sum([factors[part] for part in parts], axis=0) if parts else np.zeros(shape)


def _within_folds(factors: Array, terms: Array, folds: npt.NDArray[np.int64]) -> Array:
    """Pearson's r of each factor [n, p, c] with each term [n, q, c], mean over folds, [p, q, c].

    NaN if a factor never varies; 0 if only the term does not vary, because it explains nothing.
    """
    per_fold = np.stack(
        [_correlations(factors[folds == f], terms[folds == f]) for f in np.unique(folds)]
    )
    counts = np.isfinite(per_fold).sum(axis=0)
    total = np.nansum(per_fold, axis=0)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def _correlations(factors: Array, terms: Array) -> Array:
    varies = np.ptp(factors, axis=0) > 0
    return np.where(varies[:, None], np.nan_to_num(pearson_between(factors, terms)), np.nan)
