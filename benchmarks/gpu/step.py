"""Part 2: milliseconds a step and peak memory of each method and variant, beside bare forward and backward passes."""

import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.gpu.bare import measure_bare
from benchmarks.gpu.items import Item, run_items
from benchmarks.gpu.runs import BARE, METHODS
from benchmarks.gpu.settings import Settings
from benchmarks.gpu.sizes import MODES
from benchmarks.gpu.step_time import measure_step
from benchmarks.gpu.trainer import Setup, best_precision, load_material

FIRST = "mean_teacher"
"""The method of the first trainings: measured in all ways before the others."""
PLAIN = "supervised"
"""The method whose vanilla step sees no unlabelled image; the other one of a dry run."""
VARIANTS = ("vanilla", "dc3")


def list_items(settings: Settings) -> dict[str, Item]:
    """One item a measurement, by worth; the two variants and their bare passes stand together: ratios of one minute."""
    material = load_material(settings, 0)
    items: dict[str, Item] = {}
    for method, mode, precision in _order(settings):
        setups = [Setup(method, variant, mode, precision) for variant in VARIANTS]
        items |= {setup.name: partial(measure_step, settings, material, setup) for setup in setups}
        items |= {
            setup._replace(variant=BARE + setup.variant).name: partial(measure_bare, settings, material, setup)
            for setup in setups
        }
    return items


def _order(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """(method, mode, precision): what the trainings use first, then all methods in it, then the slower modes."""
    best = best_precision(settings)
    usual, *others = MODES[settings.device]
    if settings.tiny:
        yield from ((FIRST, usual, best), (FIRST, others[0], "float32"), (PLAIN, usual, "float32"))
        return
    yield from ((FIRST, usual, best), (FIRST, others[0], best), (FIRST, usual, "float32"))
    yield from ((method, usual, best) for method in METHODS if method != FIRST)
    yield from ((FIRST, mode, best) for mode in others[1:])
    yield from ((method, mode, best) for mode in reversed(others) for method in METHODS if method != FIRST)


if __name__ == "__main__":
    sys.exit(run_items("step", list_items))
