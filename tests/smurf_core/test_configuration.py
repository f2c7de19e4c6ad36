"""What may be asked of a run, and how it is stored."""

import json
from dataclasses import asdict, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from smurf_core.configuration import PRESETS, Configuration, Grid, RunConfig, suggested_clip
from smurf_core.errors import InputError
from smurf_core.model_kinds import MODEL_KINDS


def test_the_published_grid_has_600_configurations_and_120_without_an_auxiliary_loss() -> None:
    grid = RunConfig.from_preset("paper").grid
    assert len(grid.configurations("smurf")) == 600
    assert len(grid.configurations("late_fusion")) == 120
    assert Configuration(1e-5, (5,), 0.0, 0.1) in grid.configurations("e_hgr")


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("model", MODEL_KINDS)
def test_a_configuration_survives_being_written_as_json(preset, model) -> None:
    config = RunConfig.from_preset(preset, model, seed=4, restarts=5, device="cpu")
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_a_configuration_written_before_there_was_a_version_is_read() -> None:
    # As commit bb85866 stored it in the table of runs.
    stored = (
        '{"model": "smurf", "preset": "custom", "grid": {"learning_rates": [0.02, 0.005],'
        ' "hidden_layers": [[6, 4], []], "weight_decays": [0.0, 0.001],'
        ' "auxiliary_weights": [0.5]}, "selection": "one_standard_error",'
        ' "standardisation": "training_fold", "restarts": 2, "seed": 0, "device": "auto",'
        ' "max_epochs": 60, "patience": 40, "batch_size": 256, "output_scale": 0.01,'
        ' "fold_count": 3, "search": "full"}'
    )
    grid = Grid((0.02, 0.005), ((6, 4), ()), (0.0, 0.001), (0.5,))
    assert RunConfig.from_dict(json.loads(stored)) == RunConfig(
        "smurf", "custom", grid, restarts=2, max_epochs=60, patience=40, fold_count=3, refits=0
    )


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("model", "banana", ", ".join([*MODEL_KINDS][:-1]) + " or explained"),
        ("preset", "fast", "quick, standard, paper, synthetic or custom"),
        ("selection", "banana", "published or one_standard_error"),
        ("standardisation", "banana", "training_fold, within_person or none"),
        ("search", "grid", "full or halving"),
        ("device", "tpu", "auto, cpu, cuda or mps"),
    ],
)
def test_an_unknown_choice_is_refused_in_a_sentence_that_names_the_allowed_ones(
    field: str, value: str, allowed: str
) -> None:
    sentence = f"{field} must be {allowed}, got {value!r}."
    with pytest.raises(InputError) as made:
        RunConfig(**{field: value})
    assert str(made.value) == sentence
    with pytest.raises(InputError) as read:
        RunConfig.from_dict({**RunConfig().to_dict(), field: value})
    assert str(read.value) == sentence


@pytest.mark.parametrize("field", [f.name for f in fields(RunConfig)])
def test_every_field_refuses_what_it_cannot_be(field: str) -> None:
    with pytest.raises(InputError, match=f"^{field} must be "):
        replace(RunConfig(), **{field: object()})


def test_every_field_of_few_values_is_among_those_tested() -> None:
    hints = get_type_hints(RunConfig)
    few = {name for name, hint in hints.items() if get_origin(hint) is Literal}
    assert few == {"model", "selection", "standardisation", "search", "device"}


def test_fields_that_are_unknown_or_missing_are_named() -> None:
    plain = RunConfig().to_dict()
    del plain["grid"], plain["seed"]
    with pytest.raises(InputError, match="has no field 'speed' and lacks 'grid' and 'seed'; its"):
        RunConfig.from_dict({**plain, "speed": 3})
    grid: dict[str, Any] = asdict(PRESETS["quick"])
    del grid["weight_decays"]
    with pytest.raises(InputError, match="grid lacks 'weight_decays'"):
        RunConfig.from_dict({**RunConfig().to_dict(), "grid": grid})


def test_impossible_settings_are_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="restarts must be at least 1, got 0"):
        RunConfig(restarts=0)
    with pytest.raises(InputError, match="seed must be at least 0, got -1"):
        RunConfig(seed=-1)
    with pytest.raises(InputError, match="clip must be above 0 standard deviations, got -5"):
        RunConfig(clip=-5)
    with pytest.raises(InputError, match="at least one learning rate"):
        Grid((), ((),), (0.0,), (0.1,))
    with pytest.raises(InputError, match="item 1 of learning_rates must be a number, got nan"):
        Grid((float("nan"),), ((),), (0.0,), (0.1,))
    with pytest.raises(InputError, match="No preset 'fast'"):
        RunConfig.from_preset("fast")


def test_lists_make_the_same_grid_as_tuples() -> None:
    assert Grid([1e-3], [[5]], [0], [0.1]) == Grid((1e-3,), ((5,),), (0.0,), (0.1,))


def test_a_model_kind_decides_whether_the_target_is_always_standardised() -> None:
    for model in get_args(get_type_hints(RunConfig)["model"]):
        config = RunConfig(model=model, standardisation="none")
        has_no_unit = model.endswith("normalised") or model in ("exclusive", "explained")
        assert config.standardises_target == has_no_unit
        assert replace(config, standardisation="within_person").standardises_target


@pytest.mark.parametrize(
    ("preset", "origin", "bound"),
    [
        ("quick", "recorded", 5.0),
        ("standard", "simulated", 5.0),
        ("custom", "recorded", 5.0),
        ("paper", "recorded", None),
        ("synthetic", "recorded", None),
        ("quick", "synthetic", None),
    ],
)
def test_published_settings_are_not_clipped_and_others_are(preset, origin, bound) -> None:
    assert suggested_clip(preset, origin) == bound
    assert suggested_clip(preset, origin, standardisation="none") is None


def test_how_features_are_scaled_is_said_in_words() -> None:
    assert RunConfig().scaling == "training_fold, not clipped"
    assert RunConfig(clip=5).scaling == "training_fold, clipped at 5 sd"
    assert RunConfig(clip=5, standardisation="none").scaling == "none, not clipped"


def test_configurations_of_earlier_layouts_were_trained_on_all_features() -> None:
    plain = RunConfig(clip=5.0, seed=3).to_dict()
    assert plain.pop("components") is None
    assert RunConfig.from_dict(plain | {"version": 2}) == RunConfig(clip=5.0, seed=3)
    for name in ("clip", "refits", "largest_set"):
        del plain[name]
    assert RunConfig.from_dict(plain | {"version": 1}) == RunConfig(seed=3, refits=0)
