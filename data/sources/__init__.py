"""The kinds of data source; a new one is one file and one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from data.errors import InputError
from data.sources.cifar10h import Cifar10H
from data.sources.digits import Digits
from data.sources.folder import Folder
from data.sources.options import SourceOptions, shared_by_all
from data.sources.source import Source


@dataclass(frozen=True)
class SourceKind:
    """How a source is opened, and which options it takes."""

    build: Callable[[Any], Source]
    options: type[SourceOptions] = SourceOptions

    def __call__(self, options: SourceOptions) -> Source:
        """Opens the source; raises InputError where options or data cannot be used."""
        if not isinstance(options, self.options):
            raise InputError(
                f"The source {options.source} takes {self.options.__name__}, not {type(options).__name__}: make them"
                " by `adapt_options`."
            )
        return self.build(options)


def _open_folder(options: SourceOptions) -> Source:
    images, votes = options.paths()
    return Folder(images, votes, options.classes, options.page, options.reading)


SOURCES: dict[str, SourceKind] = {
    "digits": SourceKind(lambda options: Digits()),
    "folder": SourceKind(_open_folder),
    "cifar10h": SourceKind(lambda options: Cifar10H(*options.paths())),
}


def adapt_options(options: SourceOptions, source: str) -> SourceOptions:
    """The same options in the class that `source` takes, its own ones at their defaults where they are new.

    The name in them stays as it is; one that no source has changes nothing.
    """
    if source not in SOURCES or type(options) is SOURCES[source].options:
        return options
    return SOURCES[source].options(**shared_by_all(options))  # type: ignore[arg-type]
