QUICK = ("--seeds", 1, "--samples", 120, "--jobs", 1, "--learning-rate", 0.002,
         "--auxiliary-weight", 0.7)  # fmt: skip


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


def test_families_are_recovered_by_the_exclusive_kind(smurf):
    ended = smurf("verify", "--family", "lattice_3", "--seeds", 1, "--samples", 600, "--jobs", 1)
    assert ended.code == 0, ended.error
    family, seed, recovery, lowest, invented, exact, _ = ended.out.splitlines()[1].split()
    assert (family, seed, exact) == ("lattice_3", "0", "yes")
    assert 0.99 < float(lowest) <= float(recovery) <= 1
    assert float(invented) < 0.02


def test_how_often_exactly_the_true_sets_are_found_is_printed(smurf):
    ended = smurf("verify", "--sets", "--family", "two", "--seeds", 2, "--samples", 300,
                  "--first-seed", 5, "--jobs", 1)  # fmt: skip
    assert ended.code == 0, ended.error
    title, header, of_family, of_all = ended.out.splitlines()
    assert title == "Families looked at while tuning"
    assert header.split() == [
        "family", "samples", "studies", "exact", "extra", "stated", "redundant_error",
    ]  # fmt: skip
    *counted, error = of_family.split()
    assert counted == ["two", "300", "2", "1.000", "0.000", "1.000"]
    assert -0.2 < float(error) < 0.2  # a third is shared
    assert of_all.split() == ["all", "–", "2", "1.000", "0.000", "1.000", error]


def test_error_rates_of_verdicts_are_printed_for_families_tuned_on_and_kept(smurf):
    ended = smurf("verify", "--verdicts", "--family", "kept_persons", "--family", "noise",
                  "--seeds", 1, "--samples", 120, "--jobs", 1)  # fmt: skip
    assert ended.code == 0, ended.error
    assert "Families looked at while tuning" in ended.out
    assert "Families kept for this measurement" in ended.out
    rows = {line.split()[0]: line.split() for line in ended.out.splitlines() if line.split()}
    noise, kept = rows["noise"], rows["kept_persons"]
    assert noise[3] == "0.000"  # nothing to explain
    assert noise[6] == "0"  # nothing is called good
    assert kept[3] == "1.000"
    assert int(kept[6]) > 0
