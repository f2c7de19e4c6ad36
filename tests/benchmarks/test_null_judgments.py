"""The measurement of calibrations that docs/method.md prints."""

import numpy as np
import pytest

from benchmarks.null_judgments import Case, draw, main, rated, truth
from benchmarks.null_rates import TESTS


def test_all_cases_are_printed_with_every_way(capsys):
    main(3)
    lines = capsys.readouterr().out.splitlines()
    first, second = (k for k, line in enumerate(lines) if line.startswith("|---"))
    assert len(lines[first + 1 : second - 2]) == 24
    assert all(line.count("|") == 12 for line in lines[first - 1 : second - 2])
    assert len(lines[second + 1 :]) == 2


def test_the_true_r_is_that_of_many_samples():
    random = np.random.default_rng(0)
    case = Case(20_000, 0.5, 0.6, 1.0)
    drawn = draw(random, case)
    rating = rated(random, case, drawn)
    found = np.corrcoef(drawn.learned, drawn.y - rating / 0.5)[0, 1]
    assert truth(case) == pytest.approx(found, abs=0.01)


@pytest.mark.parametrize("name", TESTS)
def test_every_null_rate_can_be_drawn(name):
    assert TESTS[name](np.random.default_rng(0)) in (False, True)
