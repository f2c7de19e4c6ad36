"""Evaluations of trained runs: each returns a tidy table, or a result that contains tables."""

from smurf_core.evaluation.baseline import against_baseline
from smurf_core.evaluation.class_difference import class_difference
from smurf_core.evaluation.commonality import commonality, witness_of
from smurf_core.evaluation.comparison import compare_models
from smurf_core.evaluation.confusion import confusion
from smurf_core.evaluation.fidelity import fidelity
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.influence import share_influence
from smurf_core.evaluation.informativeness import informativeness_tests
from smurf_core.evaluation.judgments import human_agreement
from smurf_core.evaluation.missing import missing_modalities, missing_summary
from smurf_core.evaluation.outlying import outlying_samples
from smurf_core.evaluation.performance import performance
from smurf_core.evaluation.redundancy import pair_table, share_intervals, variance_shares
from smurf_core.evaluation.residuals import residuals_by_person, residuals_over_range
from smurf_core.evaluation.sample_map import sample_map
from smurf_core.evaluation.stability import stability
from smurf_core.evaluation.typical import typical_samples
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.evaluation.verification import recovery
from smurf_core.explained import explained
from smurf_core.shapes import shapes

__all__ = [
    "against_baseline",
    "class_difference",
    "commonality",
    "compare_models",
    "confusion",
    "explained",
    "fidelity",
    "gate",
    "human_agreement",
    "informativeness_tests",
    "missing_modalities",
    "missing_summary",
    "outlying_samples",
    "pair_table",
    "performance",
    "recovery",
    "residuals_by_person",
    "residuals_over_range",
    "sample_map",
    "shapes",
    "share_influence",
    "share_intervals",
    "stability",
    "typical_samples",
    "variance_shares",
    "verdicts",
    "witness_of",
]  # fmt: skip
