"""The semi-supervised methods with their authors' settings; a new one is one file and one line here."""

from dataclasses import fields, replace

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
from training.methods.uda import UDA
from training.options import MethodOptions

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
