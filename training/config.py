"""The configuration of a run: frozen dataclasses, TOML presets, and one check that reports every fault at once."""

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from data.errors import InputError
from data.sources import SOURCES, SourceOptions, adapt_options
from training.options import (
    BatchOptions,
    DC3Options,
    LoopOptions,
    MethodOptions,
    NetworkOptions,
    OptimiserOptions,
    RuntimeOptions,
    SortingOptions,
    SplitOptions,
)

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Config:
    """All that decides a run; logged whole with it."""

    method: str = "mean_teacher"
    """supervised, mean_teacher, pi_model, pseudo_label, fixmatch, mixmatch, uda, flexmatch, freematch or softmatch."""
    variant: str = "dc3"
    """vanilla, inverse_ce, cc, dc3 (Table 4), or dc3_guided (ours: ambiguity starts from low confidence)."""
    paper_dataset: str = ""
    """Name of the data set in the paper's tables (cifar10h, plankton, ...), to show its figures beside ours."""
    # in the class that its source takes, which may add options of its own
    data: SourceOptions = field(default_factory=SourceOptions)
    split: SplitOptions = field(default_factory=SplitOptions)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    ssl: MethodOptions = field(default_factory=MethodOptions)
    dc3: DC3Options = field(default_factory=DC3Options)
    batches: BatchOptions = field(default_factory=BatchOptions)
    optimiser: OptimiserOptions = field(default_factory=OptimiserOptions)
    loop: LoopOptions = field(default_factory=LoopOptions)
    sorting: SortingOptions = field(default_factory=SortingOptions)
    runtime: RuntimeOptions = field(default_factory=RuntimeOptions)


_RANGES: dict[str, tuple[float, float]] = {
    "prior": (0, 1),
    "batch_size": (2, 1e6),
    "steps": (1, 1e9),
    "evaluate_every": (1, 1e9),
    "log_every": (1, 1e9),
    "size": (8, 4096),
    "page": (0, 1_000_000),
    "clusters_per_class": (2, 1000),
    "lr": (0, 100),
    "backbone_lr": (0, 100),
    "input_size": (0, 4096),
    "hidden": (0, 1_000_000),
    "dropout": (0, 0.99),
    "bank_views": (1, 100),
    "ambiguous_share": (0, 1),
    "ambiguous_from": (0, 1),
    "momentum": (0, 1),
    "ema_decay": (0, 1),
    "batch_norm_decay": (0, 1),
    "weight_decay": (0, 100),
    "inverse_ce_labelled": (0, 1e6),
    "inverse_ce_unlabelled": (0, 1e6),
    "ambiguity_weight": (0, 1e6),
    "similarity_weight": (0, 1e6),
    "ssl_weight": (0, 1e6),
    "ssl_threshold": (0, 1),
    "unlabelled_ratio": (1, 1000),
    "seed": (0, 2**31),
}


def flatten(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested options as one level; option names are unique over the sections."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= flatten(value) if isinstance(value, Mapping) else {name: value}
    return flat


def parse_config(values: Mapping[str, Any], origin: str) -> Config:
    """Builds a checked configuration from nested tables.

    Raises:
        InputError: every fault at once: unknown keys with the nearest known one, wrong types, values out of range.
    """
    return check_config(_build_config(values, origin), origin)


def _build_config(values: Mapping[str, Any], origin: str) -> Config:
    """As `parse_config`, but names and values are left to `check_config`."""
    blank = choose_source(Config(), _named_source(values))
    faults = _unknown_keys(values, asdict(blank))
    data = values.get("data", {})
    try:
        # the class of its options is known here alone: pydantic would take the one that Config names
        data = TypeAdapter(type(blank.data)).validate_python(data)
    except ValidationError as error:
        faults += _describe_faults(error, "data.")
        data = blank.data
    try:
        config = TypeAdapter(Config).validate_python({**values, "data": data})
    except ValidationError as error:
        faults += _describe_faults(error)
    if faults:
        raise InputError(f"{origin} has {len(faults)} fault(s):\n- " + "\n- ".join(faults))
    return config


def choose_source(config: Config, source: str) -> Config:
    """The configuration with data options of the class that `source` takes; the name itself stays as it is."""
    return replace(config, data=adapt_options(config.data, source))


def _named_source(values: Mapping[str, Any]) -> str:
    """The source that nested tables name, right or wrong; the default where they name none."""
    data = values.get("data")
    return str(data.get("source", "") if isinstance(data, Mapping) else "") or SourceOptions().source


def _describe_faults(error: ValidationError, section: str = "") -> list[str]:
    return [f"{section}{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]


def check_config(config: Config, origin: str) -> Config:
    """Returns the configuration when all names are known and all values in range; raises InputError otherwise."""
    flat = flatten(asdict(config))
    faults = [
        f"{key} = {flat[key]!r}: must be one of {', '.join(known)}{_nearest(str(flat[key]), list(known))}"
        for key, known in _list_names().items()
        if flat[key] not in known
    ]
    faults += _find_network_faults(config.network, config.optimiser)
    for key, (low, high) in _RANGES.items():
        value = flat[key]
        if value is not None and not low <= value <= high:
            faults.append(f"{key} = {value}: must lie between {low:g} and {high:g}")
    if flat["ambiguous_share"] is not None and flat["ambiguous_from"] is not None:
        faults.append("ambiguous_share and ambiguous_from both name the border: give one of them")
    if faults:
        raise InputError(f"{origin} has {len(faults)} fault(s):\n- " + "\n- ".join(faults))
    return config


def _list_names() -> dict[str, Mapping[str, object]]:
    """What may be named, by option."""
    # here: they load torch, and whoever reads a preset to show its values needs none
    from training.losses.dc3 import VARIANTS
    from training.methods import METHODS
    from training.sorting import SORTINGS

    return {"method": METHODS, "variant": VARIANTS, "source": SOURCES, "sorting": SORTINGS}


def _find_network_faults(network: NetworkOptions, optimiser: OptimiserOptions) -> list[str]:
    """Of names too many to be listed, and of options that count only together."""
    from training.networks.names import find_fault  # here, as above

    faults = []
    if fault := find_fault(network.network):
        faults.append(f"network = {network.network!r}: {fault}")
    if network.freeze not in ("none", "all") and not re.fullmatch("[1-9][0-9]{0,3}", network.freeze):
        faults.append(f"freeze = {network.freeze!r}: must be none, all, or the number of last stages that are trained")
    if optimiser.backbone_lr is not None and network.freeze == "all":
        faults.append("backbone_lr: with freeze = all nothing of the backbone is trained; leave it out, or freeze less")
    if optimiser.backbone_lr is not None and not optimiser.lr:
        faults.append("backbone_lr: lr must be above 0 beside it, as one schedule moves both")
    return faults


def load_preset(name: str) -> Config:
    """Reads a preset by name (training/presets) or by the path of a TOML file."""
    return check_config(*read_preset(name))


def read_preset(name: str) -> tuple[Config, str]:
    """A preset and how messages name it; keys and types are checked, names and values are left to `check_config`."""
    path = Path(name) if name.endswith(".toml") else PRESETS / f"{name}.toml"
    if not path.is_file():
        known = sorted(preset.stem for preset in PRESETS.glob("*.toml"))
        raise InputError(
            f"No preset {name}: known are {', '.join(known)}{_nearest(name, known)}, or a path to a .toml file."
        )
    try:
        values = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:  # the last from endless lists
        raise InputError(f"Preset {path} is no valid TOML in UTF-8: {error}.") from error
    origin = f"Preset {path}"
    return _build_config(values, origin), origin


def to_json(config: Config) -> str:
    """The configuration as the run's record keeps it."""
    return json.dumps(asdict(config), indent=2)


def from_json(text: str) -> Config:
    """Reads a run's record."""
    return parse_config(json.loads(text), "The run's configuration")


def _unknown_keys(values: Mapping[str, Any], known: Mapping[str, Any], section: str = "") -> list[str]:
    """One line for each key that no option has, with the nearest that one has."""
    faults = []
    for key, value in values.items():
        if key not in known:
            faults.append(f"{section}{key}: no such option{_nearest(key, list(known))}")
        elif isinstance(known[key], Mapping) and isinstance(value, Mapping):
            faults += _unknown_keys(value, known[key], f"{section}{key}.")
    return faults


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
