import pytest
import torch

QUICK = ("--seeds", 1, "--samples", 120, "--jobs", 1, "--learning-rate", 0.002,
         "--auxiliary-weight", 0.7)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other's core make small networks slow on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_verification_prints_every_seed_and_the_paper(smurf):
    ended = smurf("verify", *QUICK)
    assert ended.code == 0, ended.error
    lines = ended.out.splitlines()
    assert lines[1].split()[:2] == ["bimodal", "0"]
    assert lines[2].split()[:2] == ["trimodal", "0"]
    assert "of 1 seeds (paper 0.964)" in ended.out
    assert "lr 0.002, layers linear, weight decay 0, λ 0.7" in ended.out


def test_what_should_be_zero_is_verified(smurf):
    ended = smurf("verify", *QUICK, "--setting", "none")
    assert ended.code == 0
    assert "largest sd of what should be zero 0." in ended.out
    ended = smurf("verify", "--setting", "quadrimodal")
    assert ended.code == 2
    assert "'quadrimodal' is not one of bimodal, trimodal" in " ".join(
        ended.error.replace("│", " ").split()
    )


def test_basins_separate_right_from_wrong(smurf):
    ended = smurf("basins", "--starts", 4, "--samples", 600)
    assert ended.code == 0
    assert "0.01 of the usual" in ended.out
    assert "4 of 4" in ended.out
