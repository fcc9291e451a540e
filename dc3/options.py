"""Options of the command line: a preset's values are the defaults, flags change them."""

import argparse
from dataclasses import dataclass
from typing import TypeVar

import tyro

from training.config import Config, check_config, load_preset

Options = TypeVar("Options")


OWN, EMBEDDED = "own", "digits"


def take_preset(argv: list[str]) -> tuple[Config, list[str]]:
    """Reads --preset NAME_OR_FILE and returns its configuration and the other arguments.

    Without it, or where it is empty, images and votes that are named are a lab's own (`own`); else it is `digits`.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", default="")
    known, rest = parser.parse_known_args(argv)
    return load_preset(known.preset or _choose_preset(rest)), rest


def _choose_preset(argv: list[str]) -> str:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("source", "images", "votes"):
        parser.add_argument(f"--{name}", default="")
    given, _ = parser.parse_known_args(argv)
    own = given.source == "folder" or (not given.source and (given.images or given.votes))
    return OWN if own else EMBEDDED


def parse_options(kind: type[Options], default: Options, argv: list[str], verb: str, description: str) -> Options:
    """Parses flags without section names: --steps, --prior, --network; `config` inside is checked."""
    text = f"{description} --preset NAME or FILE.toml sets the defaults shown."
    options = tyro.cli(
        kind, default=default, args=argv, prog=f"dc3 {verb}", description=text, config=(tyro.conf.OmitArgPrefixes,)
    )
    config = getattr(options, "config", None)
    if config is not None:
        check_config(config, "The command line")
    return options


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
