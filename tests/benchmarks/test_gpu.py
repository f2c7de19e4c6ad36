"""The benchmark of a graphics card runs from start to end, here with tiny sizes."""

import re
from dataclasses import replace

import pytest
import torch

from benchmarks import gpu
from benchmarks.gpu import FULL, SMALL, Plan
from benchmarks.rivals import Work, train_plainly
from benchmarks.work import Size, members_of, train_by_engine
from smurf_core.configuration import Grid

TINY = Plan(
    {"tiny": Size((4, 3, 5), 40, 20, 1, epochs=2, members=4, few=2)},
    ((3,),),
    (2**20, 3 * 2**20),
    {"VREED": (60, (4, 3, 5), 3), "MOSEI": (80, (6, 5, 4), 1)},
    Grid((1e-3, 1e-2), ((3,),), (0.0,), (0.5,)),
    cores=1,
)
NUMBER = r"\d[\d.,]*"


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_every_part_prints_its_numbers(capsys):
    gpu.main(TINY)
    printed = capsys.readouterr().out
    device = gpu.resolve_device("auto")
    assert f"torch {torch.__version__}" in printed
    assert re.search("^(no card|card): ", printed, re.MULTILINE)
    assert f"matrix product on {device}: " in printed
    row = rf"^\| 3 \| ({NUMBER} \| ){{4}}({NUMBER}× \| ){{2}}\d+% \|$"
    assert re.search(row, printed, re.MULTILINE)
    differences = re.findall(r"agreement: .* differ by ([\d.e+-]+) of", printed)
    assert len(differences) == 2
    assert max(map(float, differences)) < 1e-2
    stacks = re.findall(rf"^\| [13] MB \| ({NUMBER}) \| ", printed, re.MULTILINE)
    assert len(stacks) == 2
    assert 1 < int(stacks[0]) < int(stacks[1])
    # Two configurations, three epochs and one.
    assert "VREED's size (60 × (4, 3, 5)), one fold, 3 epochs" in printed
    assert re.search(r"3 epochs: [\d.]+ s, 6 epochs of configurations", printed)
    assert re.search(r"1 epoch: [\d.]+ s, 2 epochs of configurations", printed)
    assert len(re.findall(rf"highest memory {NUMBER} GB", printed)) == 2
    assert "would take" not in printed  # Three epochs say nothing about a whole search.
    assert "skipped" not in printed


def test_after_the_limit_parts_are_skipped_and_named(capsys, monkeypatch):
    monkeypatch.setattr(gpu, "LIMIT", -1)
    gpu.main(TINY)
    skipped = re.findall(r"^(.*): skipped after -1 s", capsys.readouterr().out, re.MULTILINE)
    assert skipped == [
        "agreement", "times, tiny", "memory", "published search, VREED", "published search, MOSEI",
    ]  # fmt: skip


def test_the_plain_loop_and_the_engine_do_the_same_work_on_a_device():
    size = replace(TINY.sizes["tiny"], classes=3)
    members = members_of((3,), 2)
    engine = train_by_engine(size, (3,), members, "cpu", 100_000)
    assert train_plainly(Work.of(size), members) == pytest.approx(engine, rel=1e-4)


def test_plans_are_of_the_published_grid():
    for plan in (FULL, SMALL):
        assert plan.grid is None
        assert list(plan.search) == ["VREED", "MOSEI"]
    assert FULL.search["VREED"][2] >= gpu.LONG
