"""Where a study has no finished run, pages show what the last one failed at."""

from dataclasses import replace

import numpy as np

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import store
from tests.studio import plain_text, trained


def test_the_error_of_the_last_run_is_shown(open_page, home):
    data = synthetic_additive(samples=60)
    study = trained(home, replace(data, target=np.ones_like(data.target)), "smurf")
    (run,) = store.list_runs(home, study)
    assert run.status == "failed"
    shown = plain_text(open_page("overview", study=study))
    assert f"no finished run yet. The last one failed: {run.error}" in shown
    store.create_run(home, study, run.config, jobs=1)  # It waits: nothing has failed since.
    assert "failed" not in plain_text(open_page("overview", study=study))
