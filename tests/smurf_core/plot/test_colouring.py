"""Groups of points by colour."""

import numpy as np
import pandas as pd

from smurf_core.plot.colouring import Colouring, colour_groups


def test_every_sample_has_one_colour_and_the_rest_are_called_other():
    words = pd.Series([f"w{i % 14}" for i in range(100)] + [None], name="word")
    groups = colour_groups(Colouring.of(words))
    assert len(groups) == 10
    assert groups[-1].name == "other"
    assert sorted(np.concatenate([g.positions for g in groups])) == list(range(101))
    for group in groups[:-1]:
        assert set(words.fillna("not given").iloc[group.positions]) == {group.name}
