"""The semi-supervised methods with their authors' settings; a new one is one file and one line here."""

from dataclasses import dataclass, fields, replace

from data.errors import InputError
from training.methods.fixmatch import FixMatch
from training.methods.flexmatch import FlexMatch
from training.methods.freematch import FreeMatch
from training.methods.mean_teacher import MeanTeacher
from training.methods.method import Method
from training.methods.mixmatch import MixMatch
from training.methods.pi_model import PiModel
from training.methods.pseudo_label import PseudoLabel
from training.methods.softmatch import SoftMatch
from training.methods.supervised import Supervised
from training.methods.uda import UDA, Schedule

METHODS: dict[str, Method] = {
    "supervised": Supervised(),
    "mean_teacher": MeanTeacher(),
    "pi_model": PiModel(),
    "pseudo_label": PseudoLabel(),
    "fixmatch": FixMatch(),
    "mixmatch": MixMatch(),
    "uda": UDA(),
    "flexmatch": FlexMatch(),
    "freematch": FreeMatch(),
    "softmatch": SoftMatch(),
}


@dataclass(frozen=True)
class MethodOptions:
    """Changes to the method's own settings; empty keeps its authors' value."""

    ssl_weight: float | None = None
    """Weight of the unlabelled loss."""
    ssl_threshold: float | None = None
    """Confidence from which a pseudo-label counts; pseudo_label, fixmatch, uda and flexmatch."""
    ssl_tsa: Schedule | None = None
    """How uda's threshold on labelled images grows: none, linear, log or exp."""
    unlabelled_ratio: int | None = None
    """Unlabelled images per labelled image."""


def build_method(name: str, options: MethodOptions) -> Method:
    """The method with the user's changes; raises InputError for a setting that it does not have."""
    method = METHODS[name]
    given = {field.name.removeprefix("ssl_"): getattr(options, field.name) for field in fields(options)}
    changes = {name: value for name, value in given.items() if value is not None}
    unknown = sorted(set(changes) - {field.name for field in fields(method)})  # type: ignore[arg-type]
    if unknown:
        known = ", ".join(field.name for field in fields(method))  # type: ignore[arg-type]
        raise InputError(f"{name} has no setting {', '.join(unknown)}; it has {known}.")
    return replace(method, **changes)  # type: ignore[type-var]
