"""The search space."""

from dataclasses import fields, replace

import optuna
import pytest

from data.errors import InputError
from training.config import Config, check_config
from training.methods import METHODS
from training.options import DC3Options, MethodOptions
from tuning.options import SpaceOptions
from tuning.space import apply_params, search_ranges, start_point, suggest

EVERYTHING = SpaceOptions(tune_method=True, tune_lr=True)


def names(config: Config, options: SpaceOptions = SpaceOptions()) -> set[str]:  # noqa: B008
    return {each.name for each in search_ranges(config, options)}


def test_all_options_of_dc3_are_searched() -> None:
    assert names(Config()) == {field.name for field in fields(DC3Options)}


def test_a_variant_is_searched_for_what_it_uses() -> None:
    assert names(Config(variant="inverse_ce")) == {"inverse_ce_labelled", "inverse_ce_unlabelled"}
    assert names(Config(variant="cc")) == {"prior", "ambiguity_weight", "similarity_weight"}


def test_one_view_has_no_similarity_to_weigh() -> None:
    assert "similarity_weight" not in names(Config(method="pseudo_label"))
    assert "similarity_weight" in names(Config(method="pseudo_label"), SpaceOptions(tune_method=True))


def test_vanilla_has_nothing_to_tune() -> None:
    with pytest.raises(InputError, match=r"vanilla.*--tune-lr"):
        search_ranges(Config(variant="vanilla"), SpaceOptions())
    assert names(Config(variant="vanilla"), SpaceOptions(tune_lr=True)) == {"lr"}


def test_settings_of_one_method_exclude_the_search_over_methods() -> None:
    with pytest.raises(InputError, match="ssl_weight"):
        search_ranges(Config(ssl=MethodOptions(ssl_weight=1.0)), EVERYTHING)


def test_every_proposal_is_a_valid_configuration_and_rebuilds_from_its_params() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen = set()
    for _ in range(50):
        trial = study.ask()
        config = check_config(suggest(trial, Config(), EVERYTHING), "proposal")
        assert apply_params(Config(), trial.params) == config
        assert 0.1 <= config.dc3.prior <= 0.9
        assert 0.001 <= config.optimiser.lr <= 0.1
        seen.add(config.method)
    assert seen == set(METHODS)


def test_the_start_point_is_the_configuration_itself() -> None:
    config = replace(Config(), method="fixmatch")
    assert apply_params(config, start_point(config, EVERYTHING)) == config


def test_a_start_outside_the_ranges_moves_to_the_nearest_end() -> None:
    config = Config(dc3=DC3Options(prior=0.99, ambiguity_weight=0.0))
    start = start_point(config, SpaceOptions())
    assert start["prior"] == 0.9
    assert start["ambiguity_weight"] == 0.01
