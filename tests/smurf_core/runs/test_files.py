from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.errors import InputError
from smurf_core.runs.files import RunFiles
from smurf_core.training.run import train_run


def assert_same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if is_dataclass(a):
        for field in fields(a):
            assert_same(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, dict):
        assert set(a) == set(b)
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


@pytest.mark.parametrize("model", ["smurf", "late_fusion", "mro_smurf"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_what_is_read_back_is_what_was_written(model, task, config, tmp_path):
    make = synthetic_interactions if model == "mro_smurf" and task == "regression" else None
    data = make(samples=60) if make else synthetic_additive(samples=60, task=task)
    result = train_run(data, RunConfig(**{**vars(config), "model": model}))
    files = RunFiles(tmp_path / "run")
    assert files.stamp() is None
    files.write_result(result)
    assert files.stamp() is not None
    assert_same(files.read_result(), result)


def test_damaged_result_is_refused_in_words(config, tmp_path):
    files = RunFiles(tmp_path / "run")
    files.write_result(train_run(synthetic_additive(samples=60), config))
    (tmp_path / "run" / "fold_1.safetensors").unlink()
    with pytest.raises(InputError, match=r"cannot be read .* train the run again"):
        files.read_result()


def test_nothing_half_written_stays(config, tmp_path, monkeypatch):
    files = RunFiles(tmp_path / "run")
    result = train_run(synthetic_additive(samples=60), config)

    def full_disk(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("smurf_core.durable.os.replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        files.save_fold(result.fold_results[0])
    assert files.load_fold(0) is None
