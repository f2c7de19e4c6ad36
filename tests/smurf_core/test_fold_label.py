"""Folds count from 1 wherever a user reads them; once, some tables counted from 0."""

from smurf_core.data.description import fold_table
from smurf_core.data.folds import with_made_folds
from smurf_core.evaluation.missing import missing_modalities
from smurf_core.evaluation.performance import fold_performance
from smurf_core.evaluation.samples import sample_table
from smurf_core.evaluation.two_runs import candidates_of
from smurf_core.explained import explained
from smurf_core.fold_label import fold_label
from smurf_core.runs.exporting import candidate_table, prediction_table
from tests.smurf_core.trained import small_run


def test_every_table_counts_folds_from_one():
    result, dataset = small_run("smurf")
    found = explained(result, dataset)
    tables = {
        "contributions": result.contributions().to_frame(),
        "predictions": prediction_table(found),
        "candidates": candidate_table(result),
        "candidates of a comparison": candidates_of(result),
        "samples": sample_table(found),
        "performance": fold_performance(result, dataset),
        "missing modalities": missing_modalities(result, dataset),
        "folds of the data": fold_table(with_made_folds(dataset, count=5, seed=0)),
    }
    for name, table in tables.items():
        assert sorted(table["fold"].unique()) == [1, 2, 3, 4, 5], name


def test_a_samples_fold_is_the_one_that_tested_it():
    result, dataset = small_run("smurf")
    table = sample_table(explained(result, dataset)).set_index("sample_id")
    for fold, test in enumerate(result.folds.test):
        assert (table.loc[result.sample_ids[test], "fold"] == fold_label(fold)).all()
