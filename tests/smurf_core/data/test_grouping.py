from dataclasses import replace

import numpy as np
import pandas as pd

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.grouping import groupings


def test_samples_are_grouped_by_columns_with_few_levels():
    data = synthetic_additive(samples=40, task="classification")
    table = pd.DataFrame(
        {
            "sex": ["f", "m"] * 19 + ["f", None],
            "session": [1.0, 2.0] * 20,
            "age": np.linspace(18, 65, 40),
            "text": [f"t{i}" for i in range(40)],
            "same": "x",
        },
        index=data.sample_ids,
    )
    found = groupings(replace(data, samples=table, persons=np.repeat(["a", "b"], 20)))
    assert list(found) == ["True class", "Person", "sex", "session"]
    assert found["session"].tolist() == ["1", "2"] * 20
    assert found["sex"][-1] == ""
    assert found["True class"][3] == data.class_names[data.target[3]]


def test_many_persons_are_no_grouping():
    data = replace(synthetic_additive(samples=40), persons=np.arange(40).astype(str))
    assert groupings(data) == {}
