"""Help texts of the pages: the meaning of each statistic, its equation, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smurf_core.evaluation.verdicts import (
    AGREEMENT_IN_SIZE,
    KNOWN_TO_OTHERS,
    RELIABILITY,
    SMALLEST_SIZE,
)


def _text(what: str, equation: str, reading: str) -> str:
    """A help text of three paragraphs; equations are code, so that they contain no markup."""
    return "\n\n".join(
        part for part in (what, f"`{equation}`" if equation else "", reading) if part
    )


# Metrics, columns of evaluation tables and the paper's terms have their names in the code.
_EXPLANATIONS: Mapping[str, str] = MappingProxyType(
    {
        # Metrics of predictions, named as in smurf_core.evaluation.metrics.
        "r": _text(
            "Pearson's r: how closely predictions rise and fall with the target.",
            "r = cov(y, ŷ) / (sd(y) · sd(ŷ))",
            "1 is a perfect straight line, 0 is no linear relation. It ignores a wrong offset or "
            "scale: also look at the CCC.",
        ),
        "ccc": _text(
            "Concordance correlation coefficient (Lin): agreement, not only correlation.",
            "CCC = 2 cov(y, ŷ) / (var(y) + var(ŷ) + (mean(y) − mean(ŷ))²)",
            "Never above |r|; lower than r where predictions are shifted or too flat.",
        ),
        "mae": _text(
            "Mean absolute error, in the target's unit.",
            "MAE = mean |y − ŷ|",
            "Lower is better. The size of a typical error.",
        ),
        "rmse": _text(
            "Root of the mean squared error, in the target's unit.",
            "RMSE = √ mean (y − ŷ)²",
            "Lower is better. Large errors weigh more than in the MAE.",
        ),
        "accuracy": _text(
            "Share of samples whose most probable class is the true one.",
            "hits / samples",
            "Compare it with the share of the most frequent class, which guessing reaches.",
        ),
        "balanced_accuracy": _text(
            "Accuracy of each class, averaged over the classes.",
            "mean over classes of hits / samples of the class",
            "1 / number of classes is chance, however unequal the classes' sizes.",
        ),
        "macro_f1": _text(
            "F1 of each class, averaged over the classes.",
            "F1 = 2 hits / (predicted + true)",
            "Falls where a class is missed or named too often; rare classes count as much as "
            "frequent ones.",
        ),
        "log_loss": _text(
            "Mean negative log probability of the true class (natural logarithm).",
            "−mean log p(true class)",
            "Lower is better. Punishes confident errors; ln(number of classes) is guessing.",
        ),
        "mean_and_sd": _text(
            "Mean over test folds ± their standard deviation (n − 1), as in the paper's tables.",
            "",
            "The spread is between folds. It is not a confidence interval.",
        ),
        # Contributions and statistics about them.
        "unique": _text(
            "What a modality says alone.",
            "ŷ_I (eq. 10)",
            "In the target's unit (a logit for classes), relative to the training fold's mean: "
            "0 means average.",
        ),
        "redundant": _text(
            "The part of what a modality says that it shares with another one.",
            "ŷ_IJ, predicted from I (eq. 10)",
            "Where ŷ_IJ and ŷ_JI agree, either modality could say it.",
        ),
        "prediction": _text(
            "The baseline plus all contributions, exactly.",
            "ŷ = baseline + Σ ŷ_I + Σ ŷ_IJ (eq. 3)",
            "",
        ),
        "baseline": _text(
            "The prediction when every contribution is at its average.",
            "",
            "One number per fold and output: the heads' offsets, which the losses leave open.",
        ),
        "interaction": _text(
            "What two or more modalities say only together (MRO-SMURF).",
            "eq. 20–31",
            "Not a sum of what each says: like a product of features.",
        ),
        "share": _text(
            "Share of the prediction's variance that a contribution carries.",
            "cov(contribution, ŷ) / var(ŷ)",
            "All shares add up to 100%. Below zero: the contribution works against the others.",
        ),
        "commonality": _text(
            "What linear late fusion, trained on every subset of modalities in the same folds, "
            "predicts of held-out samples, and how it divides. It does not use the model of this "
            "page.",
            "unique_I = R²(all) − R²(all without I); common = R²(all) − Σ unique_I",
            "It sees only what is linear. Where its share differs from the model's, the two "
            "definitions differ, or the model is wrong.",
        ),
        "own_share": _text(
            "A contribution's own variance over the prediction's.",
            "var(contribution) / var(ŷ)",
            "Without covariances: these do not add up to 100%.",
        ),
        "sd": _text(
            "Standard deviation of a contribution over samples, within folds.",
            "",
            "In the target's unit (logits for classes): how far it usually moves a prediction.",
        ),
        "verdict": _text(
            "May a contribution be reported as a finding?",
            f"reliable: reliability ≥ {RELIABILITY:g}, sd ≥ {SMALLEST_SIZE:.0%} of the target's, "
            f"members of a set agree (concordance ≥ {AGREEMENT_IN_SIZE:g}), no outsider predicts "
            f"it (R² ≤ {KNOWN_TO_OTHERS:g})",
            "Models without refits: stable (restarts and folds agree, r ≥ 0.8), unstable, not "
            "separated, too small to tell. Stable is necessary, not sufficient. Where held-out "
            "samples are not predicted, there is nothing to explain.",
        ),
        "reliability": _text(
            "How far models of other persons would agree on a contribution, sizes included.",
            "reliability = 1 − variance over refits / variance over samples",
            f"An intraclass correlation: 1 is perfect agreement. From {RELIABILITY:g}, and with no "
            "other objection, a contribution is called reliable. A dash: this model has no refits.",
        ),
        "restart_r": _text(
            "Agreement of restarts: the same fold trained from other initial weights.",
            "median over pairs of restarts of Pearson's r, on the fold's test samples",
            "Near 1: the contribution does not depend on the start. Below 0.8: unstable.",
        ),
        "fold_r": _text(
            "Agreement of the folds' models, each trained on other samples.",
            "median over pairs of folds of Pearson's r, on all samples",
            "Near 1: the contribution does not depend on the training samples.",
        ),
        "sign_agreement": _text(
            "Share of samples that two models move to the same side.",
            "mean over pairs of models of P(signs are equal)",
            "0.5 is chance. Near 0 with a large share of variance: a sign-flipped basin.",
        ),
        # Redundancy.
        "sharing": _text(
            "Sets of modalities that contribute the same, as far as each can see it.",
            "",
            "A set is there if its members agree, no other modality knows what they say, and it "
            "helps to predict. The set that is least there is left out and the model solved "
            "again, until all that are left are there. What is left out is unique or in other "
            "sets.",
        ),
        "sharing_agreement": _text(
            "Do all members of the set contribute the same?",
            "lowest r of h(I | S) and h(J | S) over members I, J of S",
            "On validation samples of all folds, which did not train them. Near 1: they say the "
            "same. Of a set that is not there, in the last model that offered it.",
        ),
        "sharing_share": _text(
            "How much of the prediction's variance the set carries, all members together.",
            "cov(Σ h(I | S), ŷ) / var(ŷ)",
            "On validation samples. Of a set that is not there, in the last model that offered it.",
        ),
        "sharing_known": _text(
            "Does a modality outside the set know what its members contribute?",
            "mean r of h(I | S) and what K derives of it over members I of S, largest over K",
            "On validation samples. Of a set that is there, others know nothing; the remainder of "
            "a larger set is known to the modality that is missing in it.",
        ),
        "sharing_probability": _text(
            "How often the set would be there in models of other samples of persons.",
            "",
            "Models are solved again with reweighted persons. Near 0.5, the study leaves it open.",
        ),
        "spread": _text(
            "How far this contribution would differ in models of other samples of persons.",
            "± t · sd over refits to reweighted persons",
            "A 95% interval. Where it contains zero, the sign is not known.",
        ),
        "pair_r": _text(
            "Do both sides of a pair say the same?",
            "Pearson's r of ŷ_IJ and ŷ_JI",
            "Near 1: they do (the goal of L_cor). Near 0: the pair shares nothing that the model "
            "could use. Below 0: the two sides work against each other; do not read them as "
            "redundancy.",
        ),
        "pair_covariance": _text(
            "Covariance of both sides of a pair.",
            "cov(ŷ_IJ, ŷ_JI)",
            "In the target's squared unit: r with the amplitude.",
        ),
        "left": _text(
            "A modality's unique contribution against what it shares.",
            "Pearson's r of ŷ_I and ŷ_IJ",
            "Near 0: the two are separate. Far from it, they are not. In models that are trained "
            "with L_uncor, 0 is its goal.",
        ),
        "unexpected": _text(
            "Unexpected redundancy: one side says what the other should also say but does not.",
            "|ŷ_IJ − ŷ_JI| / sd(ŷ), where signs differ or the smaller is below a quarter",
            "Often the interesting samples: ambiguous, masked or badly recorded.",
        ),
        "score": _text(
            "How typical a sample is for a list, in standard deviations of the prediction.",
            "unique: |ŷ_I|; redundant: min(|ŷ_IJ|, |ŷ_JI|); unexpected: |ŷ_IJ − ŷ_JI|",
            "Highest first. Comparable between classes and modalities.",
        ),
        # Losses and training.
        "l_uncor": _text(
            "Uncorrelation loss: separates unique and redundant contributions of a modality.",
            "L_uncor = α Σ |cov(ŷ_I, ŷ_IJ)|, α = 1 / (m² − m) (eq. 12)",
            "0 is best.",
        ),
        "l_cor": _text(
            "Correlation loss: makes both sides of a pair alike.",
            "L_cor = β Σ −cov(ŷ_IJ, ŷ_JI) + ½ var(ŷ_IJ) var(ŷ_JI), β = 2 / (m² − m) (eq. 13)",
            "Lowest (−½) at variances whose product is 1, whatever the data: see docs/method.md.",
        ),
        "auxiliary_weight": _text(
            "λ, the weight of the factorisation in what is trained.",
            "objective = L + λ (L_uncor + L_cor) (eq. 4)",
            "0: prediction only. Larger: clearer factorisation, at some point a worse prediction.",
        ),
        "objective": _text(
            "What training minimises.",
            "L + λ (L_uncor + L_cor) (eq. 4); L is mean squared error or cross entropy",
            "Lower is better. Training stops when the validation objective no longer falls. "
            "It separates restarts: predictions do not show a wrong basin.",
        ),
        "factorisation_loss": _text(
            "How well a configuration separates contributions, independent of their scale.",
            "mean cov(ŷ_I, ŷ_IJ)² / (var · var) − mean cov(ŷ_IJ, ŷ_JI) / ½ (var + var)",
            "Lower is better, −1 is best. Measured on validation samples.",
        ),
        "one_standard_error": _text(
            "Of the configurations that predict equally well, the one with the best factorisation.",
            "validation metric within one standard error of the best; lowest factorisation loss",
            "The published rule uses only the best metric; if many predict equally well, the "
            "factorisation is left to chance.",
        ),
        "validation_metric": _text(
            "The metric on samples that are used neither for training nor for testing.",
            "",
            "Models are chosen by it, so it is slightly optimistic: read the test metric.",
        ),
        # Comparisons.
        "difference": _text(
            "A run's metric minus the reference's, mean over folds, on the same samples.",
            "",
            "In the metric's own unit.",
        ),
        "difference_interval": _text(
            "95% interval of the difference.",
            "difference ± t · jackknife standard error over persons",
            "For these trained models and new persons. With few persons, a wide interval is "
            "correct.",
        ),
        "p_person": _text(
            "Permutation of persons: could the difference be due to chance?",
            "p = (1 + swaps at least as far from 0) / (1 + swaps), 5,000 swaps",
            "The two runs' predictions are swapped for whole persons at random. The test is about "
            "these trained models and new persons, and accounts for the similarity of one person's "
            "samples.",
        ),
        "p_resampled": _text(
            "Corrected resampled t-test over folds (Nadeau and Bengio, 2003).",
            "t = mean(d) / √((1/k + n_test / n_train) var(d)), k − 1 degrees of freedom",
            "It is about the training procedure, and accounts for training sets that overlap.",
        ),
        "effect_size": _text(
            "Effect size d: the fold-wise difference in units of its own spread.",
            "d = mean(difference) / sd(difference)",
            "Around 0.2 small, 0.5 medium, 0.8 large. With five folds it is itself uncertain.",
        ),
        "mark": _text(
            "↑ better, ↓ worse than the reference; ⇑ and ⇓ also after Holm's correction.",
            "p of the permutation of persons < 0.05",
            "↑ and ↓ are as in the paper's tables: not corrected for the number of tests, so that "
            "with many tests some appear by chance. ⇑ and ⇓ are corrected over all tests of the "
            "metric in the table.",
        ),
        "recovery": _text(
            "Recovery: is a true factor of synthetic data found again?",
            "Pearson's r of a true factor and the learned contribution that should equal it",
            "1 is perfect. Near −1: recovered with a reversed sign, which predictions do not "
            "reveal. "
            "The paper reports 0.964 (bimodal) and 0.922 (trimodal).",
        ),
        # Missing modalities.
        "reconstruction": _text(
            "Puts the remaining contributions on the scale of the whole prediction.",
            "ŷ ≈ b + Σ w_t · contribution_t, least squares on training samples (section 4.4)",
            "Without it, missing contributions count as average.",
        ),
        "fidelity": _text(
            "How much of the full prediction is left.",
            "Pearson's r of the reconstructed and the full prediction",
            "1: nothing is lost. It does not look at the truth.",
        ),
        # Human judgments.
        "human_unique": _text(
            "What is unique to a modality for people.",
            "y − judgment of raters who saw all modalities but this one (section 4.4)",
            "These raters could not use what only this modality says.",
        ),
        "human_r": _text(
            "Learned against human unique contribution.",
            "Pearson's r over samples that have a judgment",
            "Raters disagree among themselves: compare it with the ceiling.",
        ),
        "interval_r": _text(
            "95% interval of r: a jackknife over persons.",
            "tanh(atanh(r) ± t · jackknife standard error)",
            "Whole persons are left out, because samples of one person are alike. In simulations, "
            "intervals miss the true r in 3 to 5% of cases with 8 persons and more; with fewer "
            "than five there is none. Where no persons are known, samples are left out, and the "
            "interval is too narrow if samples belong together. It is for the same raters: other "
            "raters, who differ in bias, may have another r.",
        ),
        "calibrated": _text(
            "r with the ratings on the scale of the target.",
            "r(ŷ_I, y − c · rating), c = cov(y, z) / cov(rating, z), z what the model says from "
            "the shown modalities",
            "Raters who use only a part of the scale leave some of what they saw in y − rating, so "
            "r as published is above zero also where nothing is unique. Believe the calibrated "
            "one where the two differ. c is above 1 where raters use a part of the scale. It "
            "assumes that ratings are a straight line of what the shown modalities say, and "
            "noise. A dash: the model says too little from these modalities to know c.",
        ),
        "share_interval": _text(
            "95% interval of a share of variance.",
            "2.5% and 97.5% quantiles over bootstrap draws of whole persons",
            "How the shares of these trained models would vary over other persons (samples, where "
            "no persons are known). Other training runs may give other shares: see the verdict.",
        ),
        "term_agreement": _text(
            "Do two runs explain the same samples alike?",
            "Pearson's r of one contribution in both runs, centred within folds",
            "Near 1: alike. It is not defined if a contribution does not vary in one of them.",
        ),
        "dropout": _text(
            "What happens when a sensor fails for some of the samples.",
            "metric, where a random share of samples is predicted without the modality",
            "A steep line: the model depends on that modality, and the others cannot make up "
            "for it. The band covers 95% of the draws.",
        ),
        "spearman": _text(
            "Spearman's rank correlation.",
            "Pearson's r of ranks",
            "Robust to outliers and to curved relations. If it differs much from r, look at the "
            "points.",
        ),
        "p_clustered": _text(
            "p of the slope, with a variance that is robust to similar samples of a person.",
            "CR2 (Bell and McCaffrey, 2002), t with Satterthwaite's degrees of freedom",
            "Two-sided; before correction for several tests.",
        ),
        "p_holm": _text(
            "p after Holm's correction over all tests of the table.",
            "k-th smallest of K: max over smaller ones of (K − k + 1) · p",
            "Below 0.05: at most 5% of such tables would show even one false finding.",
        ),
        "krippendorff_alpha": _text(
            "Krippendorff's α (interval): do raters agree?",
            "α = 1 − observed / expected disagreement",
            "1 is perfect, 0 is chance; 0.8 is considered good, below 0.67 doubtful. In brackets: "
            "95% interval, a bootstrap over persons (samples, where no persons are known).",
        ),
        "ceiling": _text(
            "The highest r that anything can reach with ratings this reliable.",
            "√(1 − s²/k / var(human)), s² the raters' variance within a sample, k raters",
            "r divided by it shows how much of the explainable part is explained.",
        ),
        "informativeness": _text(
            "Does it move predictions more if people called the modality informative?",
            "Wilcoxon's rank-sum test of |change without ŷ_I|: no against relevant or sufficient",
            "A positive statistic means yes.",
        ),
        "probability": _text(
            "A class's probability.",
            "softmax of the logits",
            "Contributions add up in logits, not in probabilities.",
        ),
        "confusion": _text(
            "Which classes are taken for which.",
            "chance of a cell: frequency of the predicted class",
            "Chance is a prediction that names each class as often as it occurs. Mistakes are "
            "named only if their share is above it by a 95% interval over persons, for all pairs "
            "at once.",
        ),
        "class_difference": _text(
            "Each contribution to the logit of one class minus that to the logit of another.",
            "h(a) − h(b); baseline and all contributions add up to logit(a) − logit(b)",
            "The odds of two classes depend on this difference alone: e to its power. Intervals "
            "are the sum of both classes', the largest that they can be.",
        ),
        "residuals_over_range": _text(
            "Mean of prediction − target in parts of the target's range with equally many samples.",
            "mean(ŷ − y)",
            "Above 0: predicted too high. Whiskers: 95% interval over persons.",
        ),
        "residuals_by_person": _text(
            "Median of prediction − target, person by person.",
            "typical error: median |ŷ − y|",
            "Whiskers: 95% interval by order statistics; persons with fewer than 6 samples have "
            "none.",
        ),
        "shape": _text(
            "How a contribution changes with one feature of its modality (partial dependence).",
            "mean over samples of h(x with the feature set to a value)",
            "0 is an average sample. Refits weigh persons anew; their spread gives the band. A "
            "rise is called clear if its interval excludes 0 when all features are looked at "
            "(Bonferroni).",
        ),
        "map": _text(
            "Principal components of the contributions whose verdict is good.",
            "X = U S Vᵀ, of contributions centred within folds; positions U S",
            "Numbers after a contribution are its weight in the direction, from −1 to 1.",
        ),
        "n": _text("Number of samples used for this number.", "", ""),
    }
)  # fmt: skip


def explain(*terms: str) -> str:
    """Help text, in Markdown, of one or several terms.

    Metrics and columns of evaluation tables have their usual names: `explain("p_person")`.
    """
    return "\n\n---\n\n".join(_EXPLANATIONS[term] for term in terms)


def explained_terms() -> tuple[str, ...]:
    """All terms that have a help text."""
    return tuple(_EXPLANATIONS)
