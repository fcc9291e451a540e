"""The search space: what a trial may change of a configuration, log scales around the paper's defaults."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple

import optuna

from data.errors import InputError
from training.config import Config
from training.losses.dc3 import VARIANTS
from training.methods import METHODS
from training.options import DC3Options
from tuning.options import SpaceOptions

_DC3 = frozenset(field.name for field in fields(DC3Options))


class Range(NamedTuple):
    """The values of one number, both ends included."""

    name: str
    low: float
    high: float
    log: bool


# An image share outside 0.1 to 0.9 is the definition of degenerate; each weight goes a factor 10 both ways.
PRIOR = Range("prior", 0.1, 0.9, log=False)
INVERSE_CE = (Range("inverse_ce_labelled", 1.0, 100.0, log=True), Range("inverse_ce_unlabelled", 1.0, 100.0, log=True))
AMBIGUITY = Range("ambiguity_weight", 0.01, 1.0, log=True)
SIMILARITY = Range("similarity_weight", 0.01, 1.0, log=True)


def search_ranges(config: Config, options: SpaceOptions) -> tuple[Range, ...]:
    """The numbers that matter to this variant and method.

    Raises:
        InputError: nothing is left to search, or settings of one method would meet another.
    """
    variant = VARIANTS[config.variant]
    # the similarity compares two views; a method with one has none, and its weight would be noise to the sampler
    two_views = options.tune_method or len(METHODS[config.method].views) > 1
    # of what the training is told: where a sorting alone takes the prior as its border, nothing is learnt by it
    ranges = (PRIOR,) * variant.ambiguity_aware
    ranges += INVERSE_CE * variant.inverse_ce
    ranges += (AMBIGUITY,) * variant.ambiguity_aware
    ranges += (SIMILARITY,) * (variant.ambiguity_aware and two_views)
    lr = config.optimiser.lr
    ranges += (Range("lr", lr / 10, lr * 10, log=True),) * options.tune_lr
    if not ranges and not options.tune_method:
        raise InputError(
            f"The variant {config.variant} has neither prior nor DC3 weights: nothing to tune. "
            "Take --variant dc3, or add --tune-lr or --tune-method."
        )
    given = [field.name for field in fields(config.ssl) if getattr(config.ssl, field.name) is not None]
    if options.tune_method and given:
        raise InputError(f"--tune-method tries every method, but {', '.join(given)} belongs to one: leave it out.")
    return ranges


def suggest(trial: optuna.Trial, config: Config, options: SpaceOptions) -> Config:
    """The configuration with the values that the sampler proposes for this trial."""
    params: dict[str, Any] = {
        name: trial.suggest_float(name, low, high, log=log) for name, low, high, log in search_ranges(config, options)
    }
    if options.tune_method:
        params["method"] = trial.suggest_categorical("method", list(METHODS))
    return apply_params(config, params)


def apply_params(config: Config, params: Mapping[str, Any]) -> Config:
    """The configuration with a trial's values."""
    dc3 = replace(config.dc3, **{name: value for name, value in params.items() if name in _DC3})
    optimiser = replace(config.optimiser, lr=params.get("lr", config.optimiser.lr))
    return replace(config, method=params.get("method", config.method), dc3=dc3, optimiser=optimiser)


def start_point(config: Config, options: SpaceOptions) -> dict[str, Any]:
    """The configuration's own values as a trial's, moved to the nearest end where they lie outside the ranges."""
    own = {field.name: getattr(config.dc3, field.name) for field in fields(config.dc3)} | {"lr": config.optimiser.lr}
    start: dict[str, Any] = {r.name: min(max(own[r.name], r.low), r.high) for r in search_ranges(config, options)}
    return start | ({"method": config.method} if options.tune_method else {})
