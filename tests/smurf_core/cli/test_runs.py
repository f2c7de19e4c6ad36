import pytest


def test_runs_are_listed_and_shown(trained):
    assert trained.smurf in trained("runs").out
    assert trained.smurf in trained("runs", "--study", trained.study).out
    assert trained.smurf not in trained("runs", "--study", "other").out
    shown = trained("show", trained.smurf[:6]).out
    assert "lr 0.01, layers 4" in shown
    assert "redundant audio, with video" in shown
    shown = trained("show", "last").out
    assert "unique audio" in shown
    assert "redundant" not in shown  # Late fusion has none.


def test_folds_are_counted_from_1(trained):
    lines = trained("show", trained.smurf).out.splitlines()
    folds = [line.split()[0] for line in lines if "lr 0.01" in line]
    assert folds == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("command", ["show", "export", "cancel", "resume", "evaluate", "report"])
def test_unknown_runs_are_an_error(smurf, command):
    ended = smurf(command, "nothing")
    assert ended.code == 2
    assert "no run 'nothing'" in ended.error
