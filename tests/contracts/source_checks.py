"""What holds for every source of SOURCES, as checks that take nothing but its name and options that open it."""

import tomllib
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import tomli_w

from data.errors import InputError
from data.sources import SOURCES, SourceOptions, adapt_options
from data.votes.counts import is_voted
from data.votes.reader import count_votes
from dc3.options import TrainOptions, parse_options
from training.config import Config, flatten, from_json, parse_config, to_json

SHOWN = 12
"""Images that are looked at, from both ends."""


def check_names_are_different_and_readable(name: str, options: SourceOptions) -> None:
    source = SOURCES[name](options)
    names = source.names()
    assert len(set(names)) == len(names) >= 2
    assert all(isinstance(one, str) for one in names)
    for shown in _some(names):
        image = source.read(shown)
        assert image.ndim == 3
        assert image.shape[2] == 3
        assert min(image.shape) > 0
        assert image.dtype == np.uint8


def check_votes_are_countable(name: str, options: SourceOptions) -> None:
    source = SOURCES[name](options)
    votes = count_votes(source.votes(), source.names(), source.classes())
    assert is_voted(votes.counts).any()
    assert len(votes.classes) >= 2
    assert not source.classes() or votes.classes == source.classes()


def check_reading_again_gives_the_same(name: str, options: SourceOptions) -> None:
    source, again = SOURCES[name](options), SOURCES[name](options)
    assert source.names() == source.names() == again.names()
    assert source.votes().equals(source.votes())
    assert source.votes().equals(again.votes())
    for shown in _some(source.names()):
        first = source.read(shown).copy()
        assert np.array_equal(first, source.read(shown))
        assert np.array_equal(first, again.read(shown))
        assert source.content(shown) == again.content(shown)


def check_content_tells_images_apart(name: str, options: SourceOptions) -> None:
    source = SOURCES[name](options)
    contents: dict[bytes, np.ndarray] = {}
    for shown in _some(source.names()):
        content = source.content(shown)
        assert isinstance(content, bytes)
        assert np.array_equal(contents.setdefault(content, source.read(shown)), source.read(shown))


def check_content_tells_options_apart(name: str, options: SourceOptions) -> None:
    """Images are decoded once for a content: one that an option's change leaves as it was would bring the former."""
    source = SOURCES[name](options)
    for key, value in _own_changes(options).items():
        try:
            other = SOURCES[name](replace(options, **{key: value}))
            shown = [one for one in _some(other.names()) if one in source.names()]
            pairs = [(source.read(one), other.read(one)) for one in shown]
        except InputError:
            continue  # not a value that it takes
        for one, (first, second) in zip(shown, pairs, strict=True):
            if source.content(one) == other.content(one):
                assert np.array_equal(first, second), f"{key} changes the pixels of {one}, not its content"


def check_options_only_add_to_the_shared_ones(name: str, options: SourceOptions) -> None:
    kind = SOURCES[name].options
    assert type(options) is kind
    shared = {field.name: field.default for field in fields(SourceOptions)}
    own = {field.name for field in fields(kind)} - set(shared)
    assert {field.name: field.default for field in fields(kind) if field.name in shared} == shared
    # the command line and MLflow drop the names of the sections
    assert not own & set(flatten(asdict(Config())))


def check_options_come_back_from_record_and_preset(name: str, options: SourceOptions) -> None:
    changed = _change_own(replace(options, source=name))
    for given in (replace(options, source=name), changed):
        config = replace(Config(), data=given)
        assert from_json(to_json(config)) == config
        preset = tomllib.loads(tomli_w.dumps({"data": _without_none(asdict(given))}))
        assert parse_config(preset, "A preset").data == given
    # a record from before the source had options of its own
    shared = {field.name: getattr(options, field.name) for field in fields(SourceOptions)} | {"source": name}
    assert parse_config({"data": shared}, "A record").data == SOURCES[name].options(**shared)


def check_options_are_flags(name: str, options: SourceOptions) -> None:
    changed = _change_own(replace(options, source=name))
    by_name = ["--source", name]
    # the source's own, or those of the preset that goes with it
    usual = flatten(asdict(parse_options(TrainOptions, by_name, "train", "")[1].data))
    given = {key: value for key, value in flatten(asdict(changed)).items() if value != usual[key]}
    flags = [*by_name, *(text for key, value in given.items() for text in _flag(key, value))]
    parsed, _ = parse_options(TrainOptions, flags, "train", "")
    assert parsed.config.data == changed


def check_unknown_options_are_refused_with_the_nearest(name: str, options: SourceOptions) -> None:
    for key in asdict(options):
        wrong = f"{key[:-1]}{'y' if key[-1] != 'y' else 'x'}"
        with pytest.raises(InputError, match=rf"data\.{wrong}: no such option \(did you mean {key}\?\)"):
            parse_config({"data": {"source": name, wrong: 1}}, "A preset")


def check_bare_options_open_it_or_name_what_is_missing(name: str, options: SourceOptions) -> None:
    bare = replace(adapt_options(SourceOptions(), name), source=name)
    if bare == options:
        return  # the other checks open it
    with pytest.raises(InputError, match=f"The source {name} needs --"):
        SOURCES[name](bare)


CHECKS: tuple[Callable[[str, SourceOptions], None], ...] = (
    check_names_are_different_and_readable,
    check_votes_are_countable,
    check_reading_again_gives_the_same,
    check_content_tells_images_apart,
    check_content_tells_options_apart,
    check_options_only_add_to_the_shared_ones,
    check_options_come_back_from_record_and_preset,
    check_options_are_flags,
    check_unknown_options_are_refused_with_the_nearest,
    check_bare_options_open_it_or_name_what_is_missing,
)


def _some(names: list[str]) -> list[str]:
    return [*names[:SHOWN], *names[-SHOWN:]]


def _change_own(options: SourceOptions) -> SourceOptions:
    return replace(options, **_own_changes(options))


def _own_changes(options: SourceOptions) -> dict[str, Any]:
    """Another value for each option that the source has for itself."""
    shared, kinds = {field.name for field in fields(SourceOptions)}, get_type_hints(type(options))
    own = [field.name for field in fields(options) if field.name not in shared]
    return {name: _another(getattr(options, name), kinds[name]) for name in own}


def _another(value: object, kind: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, tuple):
        return (*value, get_args(kind)[0]())
    assert isinstance(value, str), "an option is text, a number, a switch, or a tuple of one of them"
    return f"{value} more"


def _flag(key: str, value: object) -> list[str]:
    name = key.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    values = list(map(str, value)) if isinstance(value, tuple) else [str(value)]
    return [f"--{name}", *values]


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    """TOML has no null."""
    given = {key: value for key, value in values.items() if value is not None}
    return {key: _without_none(value) if isinstance(value, dict) else value for key, value in given.items()}
