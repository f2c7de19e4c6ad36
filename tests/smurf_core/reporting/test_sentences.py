import pandas as pd

from smurf_core.reporting.sentences import overview_sentences


def table(rows):
    columns = ["modality", "shared_with", "kind", "share", "sd", "verdict"]
    return pd.DataFrame(rows, columns=columns).assign(order=1)


ROWS = [
    ("A", "A", "unique", 0.5, 1.0, "stable"),
    ("A", "B", "redundant", 0.2, 0.5, "stable"),
    ("B", "A", "redundant", 0.1, 0.4, "unstable"),
    ("B", "B", "unique", 0.2, 0.6, "too small to tell"),
]


def test_sentences_say_the_numbers():
    sentences = overview_sentences(table(ROWS), table(ROWS))
    assert sentences[0].startswith("A carries most of the prediction: 70% of its variance, 50%")
    assert "70% of the variance is unique" in sentences[1]
    assert "30% redundant" in sentences[1]
    assert sentences[2] == ("Do not rely on B, shared with A: restarts or folds disagree on it.")


def test_what_agrees_but_is_not_separated_is_warned_of():
    rows = [(*row[:5], "not separated") for row in ROWS[:1]] + ROWS[2:]
    believe = overview_sentences(table(rows), table(rows))[2]
    assert "Do not rely on B, shared with A: restarts or folds disagree on it." in believe
    assert "Do not rely on A alone: unique and redundant parts of it move together" in believe


def test_late_fusion_is_not_said_to_share():
    rows = [row for row in ROWS if row[2] == "unique"]
    sentences = overview_sentences(table(rows), table(rows))
    assert not any("redundant" in sentence or "shared" in sentence for sentence in sentences)
    assert sentences[-1].startswith("Restarts and folds agree")
