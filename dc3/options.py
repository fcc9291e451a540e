"""Options of the command line: a preset's values are the defaults, flags change them."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import tyro

from training.config import Config, check_config, choose_source, read_preset
from training.options import By

OWN, EMBEDDED = "features", "digits"


class _Configured(Protocol):
    @property
    def config(self) -> Config: ...


Options = TypeVar("Options", bound=_Configured)


def parse_options(
    kind: Callable[[Config], Options], argv: list[str], verb: str, description: str
) -> tuple[Options, Config]:
    """Reads --preset NAME_OR_FILE, then flags without section names: --steps, --prior, --network.

    Without a preset, or where it is empty, images and votes that are named are a lab's own (`features`); else it is
    `digits`. Returns the options and the preset's own configuration, both checked; `kind` makes the defaults of the
    latter. Both have the options of the source that --source names: which flags there are depends on it.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", default="")
    known, rest = parser.parse_known_args(argv)
    for name in ("source", "images", "votes"):  # only looked at: the flags themselves are among the options
        parser.add_argument(f"--{name}", default="")
    given = parser.parse_known_args(argv)[0]
    own = given.source == "folder" or (not given.source and (given.images or given.votes))
    config, origin = read_preset(known.preset or (OWN if own else EMBEDDED))
    config = choose_source(config, given.source or config.data.source)
    default = kind(config)
    options = tyro.cli(
        type(default),
        default=default,
        args=rest,
        prog=f"dc3 {verb}",
        description=f"{description} --preset NAME or FILE.toml sets the defaults shown.",
        config=(tyro.conf.OmitArgPrefixes,),
    )
    # after the help, which needs none of the code that knows the names
    check_config(config, origin)
    check_config(options.config, "The command line")
    return options, config


@dataclass(frozen=True)
class TrainOptions:
    """A configuration, and what to do with it."""

    config: Config
    name: str = ""
    """Name of the run in MLflow."""
    resume: str = ""
    """Id of a run that was interrupted: go on from its last checkpoint, with its options. Only --device, --images and
    --votes may be given, where this machine has them elsewhere."""
    repeat: str = ""
    """Id of a run to train again from its record, as another run; the same may be given."""
    register: str = "dc3"
    """Name in the model registry; empty registers nothing."""
    by: By = "proposals_right"
    """What the registry's champion is chosen by: right proposals, or the paper's d - F1."""
