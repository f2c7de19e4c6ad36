"""Is a data set fit to be factorised: what is said of few samples, persons, classes, features."""

from dataclasses import replace

import numpy as np

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.reporting.fitness_sentences import fitness_sentences


def test_enough_samples_of_known_persons_have_one_answer_and_the_chance_level():
    data = synthetic_additive(samples=80)
    data = replace(data, persons=np.repeat([f"p{i}" for i in range(16)], 5))
    mean, sd = f"{data.target.mean():.2f}".replace("-", "−"), f"{data.target.std():.2f}"
    assert fitness_sentences(data) == [
        "There are enough samples to explain predictions, if a model predicts: 80 samples of 16 "
        "persons.",
        f"Chance level: r is 0; always saying the mean, {mean}, has an RMSE of {sd}.",
    ]


def test_few_persons_are_too_few():
    data = synthetic_additive(samples=80)
    data = replace(data, persons=np.repeat(["a", "b", "c", "d"], 20))
    (first, *_) = fitness_sentences(data)
    assert first == (
        "There are too few samples to explain anything: 80 samples of 4 persons; at least 30 "
        "samples of 5 persons are needed."
    )


def test_unknown_persons_rare_classes_wide_and_absent_modalities_are_named():
    data = synthetic_additive(samples=80, task="classification")
    target = np.repeat([0, 1, 2], [60, 15, 5])
    values = data.features["A"].values
    wide = np.tile(values, 50)[:, :100]
    gone = data.features["B"].values.copy()
    gone[:60] = np.nan
    features = {
        **data.features,
        "A": replace(data.features["A"], values=wide, names=tuple(map(str, range(100)))),
        "B": replace(data.features["B"], values=gone),
    }
    said = fitness_sentences(replace(data, target=target, features=features, factors={}))
    most, _, rare = data.class_names
    assert said[1] == (
        f"Chance level: balanced accuracy 0.33; always saying {most} is right in 75%."
    )
    assert said[2].startswith("No persons are known")
    assert said[3] == (
        f"The class {rare} has 5 samples, which is too few to say anything about it."
    )
    assert said[4].startswith("More features than samples: A (100).")
    assert said[5:] == ["B was not recorded for 75% of the samples."]
