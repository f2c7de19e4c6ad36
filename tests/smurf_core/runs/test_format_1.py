"""Runs of format 1, written by commit bb85866: the same numbers as on the day they were trained."""

from itertools import combinations

import numpy as np
import pytest
from safetensors.numpy import load_file

from smurf_core.errors import InputError
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import list_runs
from smurf_core.runs.studies import load_study


def stored(files: RunFiles, fold: int, k: int, modalities: tuple[str, ...]) -> dict:
    """(source, partner) → contributions [n, c], as the file of format 1 has them."""
    arrays = load_file(files.folder / f"fold_{fold}.safetensors")
    found = {}
    for order in range(1, len(modalities) + 1):
        name = f"member/{k}/values" if order == 1 else f"member/{k}/interactions/{order}"
        if name in arrays:
            sources = list(combinations(modalities, order))
            for i, source in enumerate(sources):
                for j, partner in enumerate(sources):
                    found[source, partner] = arrays[name][:, i, j]
    return found


def test_every_kind_of_model_has_its_contributions_and_explains_its_data_with_them(version_1):
    runs = list_runs(version_1)
    assert len(runs) == 19
    for run in runs:
        files = RunFiles.of(version_1, run.id)
        result, data = files.read_result(), load_study(version_1, run.study_id)
        features = {name: f.values for name, f in data.features.items()}
        for fold, of_fold in enumerate(result.fold_results):
            for k, member in enumerate(of_fold.members):
                old = stored(files, fold, k, data.modalities)
                for t, term in enumerate(member.model.terms):
                    partner = term.others[0] if term.others else term.source
                    np.testing.assert_array_equal(
                        member.values[:, t], old.pop((term.source, partner))
                    )
                # Late fusion has no redundant contributions; format 1 wrote zeros for them.
                assert not any(values.any() for values in old.values())
                again = member.model.contributions(features, persons=data.persons)
                np.testing.assert_allclose(again.values, member.values, atol=1e-5)
        assert result.predict(data).to_frame()["prediction"].notna().all()


def test_what_is_written_again_is_of_format_2_and_equal(version_1, tmp_path):
    for run in list_runs(version_1)[:3]:
        result = RunFiles.of(version_1, run.id).read_result()
        RunFiles(tmp_path / run.id).write_result(result)
        again = RunFiles(tmp_path / run.id).read_result()
        one, other = result.contributions(), again.contributions()
        assert one.terms == other.terms
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.baseline, other.baseline)


def test_a_run_of_format_1_alone_says_what_it_needs(version_1):
    run = list_runs(version_1)[0]
    with pytest.raises(InputError, match="format 1, which is read with the data of its study"):
        RunFiles(version_1.run_folder(run.id)).read_result()
