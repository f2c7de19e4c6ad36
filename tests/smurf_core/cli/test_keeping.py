"""`smurf doctor`, `backup` and `restore` in the terminal."""

from smurf_core.runs.workspace import HOME_VARIABLE


def test_a_workspace_is_checked_backed_up_and_restored(trained, tmp_path, monkeypatch):
    assert "No problems found." in trained("doctor").out
    file = str(tmp_path / "backup.zip")
    assert "verified" in trained("backup", file).out
    again = trained("backup", file)
    assert again.code == 2
    assert "exists" in again.error
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "new"))
    assert "verified" in trained("restore", file).out
    assert trained.smurf in trained("runs").out
    (tmp_path / "new" / "runs" / trained.smurf / "samples.parquet").unlink()
    bad = trained("doctor")
    assert bad.code == 1
    assert trained.smurf in bad.out
    assert trained("doctor", "--repair").code == 0
    assert "crashed" in trained("runs").out
