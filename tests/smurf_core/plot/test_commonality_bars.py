import numpy as np

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.evaluation.commonality import commonality
from smurf_core.plot.commonality_bars import commonality_bars


def test_bars_and_whiskers_are_those_of_the_table():
    data = synthetic_additive(samples=200)
    totals = commonality(data, data.folds).totals
    unique, common = commonality_bars(totals).data
    for bar, kind in ((unique, "unique"), (common, "common")):
        rows = totals[totals["kind"] == kind]
        assert list(bar.y) == ["A", "B", "C", "all modalities"]
        np.testing.assert_allclose(bar.x, rows["r2"])
        np.testing.assert_allclose(bar.x + bar.error_x.array, rows["ci_high"])
        np.testing.assert_allclose(bar.x - bar.error_x.arrayminus, rows["ci_low"])
    assert (unique.marker.pattern.shape, common.marker.pattern.shape) == ("", "/")
