"""What a search can be told, free of optuna: `dc3 tune --help` needs no store."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SpaceOptions:
    """What is searched beside prior and loss weights."""

    tune_method: bool = False
    """Search the semi-supervised method too, each with its authors' settings."""
    tune_lr: bool = False
    """Search the learning rate too, from a tenth to ten times the preset's."""


@dataclass(frozen=True)
class StudyOptions:
    """Which study, and when one of its workers counts as killed."""

    study: str = ""
    """Name of the study; empty makes it of data, method and variant. A known name goes on with that study."""
    storage: str = ""
    """URL of the Optuna store, such as postgresql+psycopg://host/name; empty takes optuna.db in the store folder."""
    heartbeat: int = 60
    """Seconds between two signs of life of a running trial."""
    grace: int = 180
    """Seconds without one after which another worker runs that trial again."""
