"""The public face: what a notebook needs, loaded when it is first used."""

import subprocess
import sys

import numpy as np
import pytest

import smurf_core as smurf
from smurf_core.reporting.numbers import plain
from tests.smurf_core.trained import small_run


def test_everything_that_is_listed_is_there():
    for name in smurf.__all__:
        assert getattr(smurf, name) is not None
    for module in (smurf.datasets, smurf.evaluate, smurf.plot):
        for name in module.__all__:
            assert callable(getattr(module, name))
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = smurf.nothing_such


def test_importing_and_reading_take_no_heavy_package():
    heavy = "{'torch', 'plotly', 'altair', 'sklearn', 'streamlit', 'matplotlib'}"
    code = (
        "import sys, smurf_core as smurf; smurf.read, smurf.Dataset, smurf.FittedModel, "
        "smurf.RunConfig, smurf.Contributions, smurf.datasets, smurf.evaluate;"
        f"assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_run_is_kept_and_loaded_without_a_workspace(tmp_path):
    result, dataset = small_run("smurf")
    smurf.save_run(result, tmp_path / "run")
    again = smurf.load_run(tmp_path / "run")
    np.testing.assert_array_equal(again.contributions().values, result.contributions().values)
    np.testing.assert_array_equal(
        again.predict(dataset).contributions.values, result.predict(dataset).contributions.values
    )
    with pytest.raises(smurf.InputError, match="cannot be read"):
        smurf.load_run(tmp_path / "nothing")


@pytest.mark.parametrize("model", ["smurf", "late_fusion", "mro_smurf"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_figures_show_the_numbers_of_the_tables(model, task):
    result, dataset = small_run(model, task)
    found = result.contributions()
    table = smurf.evaluate.variance_shares(found)
    output = "all" if task == "classification" else "y"
    bars = smurf.plot.shares(found).data
    assert sum(bar.x[0] for bar in bars) == pytest.approx(1, abs=1e-5)
    assert len(bars) == len(table[table["output"] == output])
    drawn = smurf.plot.sample(found, "s17").data[0]
    c = int(found.prediction()[17].argmax())
    assert drawn.customdata[-1] == plain(float(found.prediction()[17, c]))
    rows = smurf.evaluate.missing_summary(smurf.evaluate.missing_modalities(result, dataset))
    rows = rows[rows["metric"] == rows["metric"].iloc[0]]
    np.testing.assert_allclose(smurf.plot.missing(result, dataset).data[0].x, rows["mean"])
    if model == "late_fusion":
        with pytest.raises(smurf.InputError, match="all unique"):
            smurf.plot.redundancy(found)
    else:
        assert smurf.plot.redundancy(found).data[0].z.shape == (3, 3)


def test_what_is_not_there_is_said_in_a_sentence():
    result, dataset = small_run("smurf")
    found = result.contributions()
    for call in (
        lambda: smurf.plot.sample(found, "nobody"),
        lambda: smurf.plot.shares(found, output="z"),
        lambda: smurf.plot.redundancy(found, output="z"),
        lambda: smurf.plot.missing(result, dataset, metric="z"),
    ):
        with pytest.raises(smurf.InputError):
            call()
