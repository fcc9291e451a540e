"""Every source of SOURCES keeps its contract; the checks take one with options of its own and refuse faulty ones."""

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.errors import InputError
from data.images.deep import Reading
from data.sources import SOURCES, SourceKind, SourceOptions, adapt_options
from data.sources.source import Source
from tests.contracts import source_checks
from tests.contracts.plug_ins import STRIPES, Stripes, StripesOptions
from tests.contracts.source_checks import CHECKS
from training.config import parse_config

Check = Callable[[str, SourceOptions], None]
every_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)


@pytest.fixture(params=SOURCES, scope="module")
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, SourceOptions]:
    """Each source with small data; one that needs no files opens by its own options."""
    name: str = request.param
    make = {"folder": _folder, "cifar10h": _cifar10h}.get(name)
    if make is None:
        return name, replace(adapt_options(SourceOptions(), name), source=name)
    return name, make(tmp_path_factory.mktemp(name))


def _folder(folder: Path) -> SourceOptions:
    (folder / "images").mkdir()
    for name in "ab":
        Image.new("RGB", (9, 5)).save(folder / "images" / f"{name}.png")
    pd.DataFrame({"image": ["a.png", "b.png"], "label": ["x", "y"]}).to_csv(folder / "v.csv", index=False)
    return SourceOptions("folder", str(folder / "images"), str(folder / "v.csv"))


def _cifar10h(folder: Path) -> SourceOptions:
    """CIFAR-10's file format with random pixels: the real files cannot be downloaded where tests run."""
    from torchvision.datasets import CIFAR10

    batches = folder / "cifar-10-batches-py"
    batches.mkdir()
    random = np.random.default_rng(0)
    content = {"data": random.integers(0, 256, (10_000, 3072), np.uint8), "labels": [0] * 10_000}
    names = {"label_names": [f"class {number}" for number in range(10)]}
    for name, value in (("test_batch", content), ("batches.meta", names)):
        (batches / name).write_bytes(pickle.dumps(value))
    for listed in (*CIFAR10.train_list, *CIFAR10.test_list):
        (batches / listed[0]).touch()

    def digest(name: str) -> str:
        return hashlib.md5((batches / name).read_bytes(), usedforsecurity=False).hexdigest()

    patch = pytest.MonkeyPatch()
    patch.setattr(CIFAR10, "test_list", [["test_batch", digest("test_batch")]])
    patch.setattr(CIFAR10, "train_list", [])
    patch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": digest("batches.meta")})
    counts = random.integers(0, 3, (10_000, 10))
    counts[:, 0] += 1
    np.save(folder / "counts.npy", counts)
    return SourceOptions("cifar10h", str(folder), str(folder / "counts.npy"))


@every_check
def test_source_keeps(sample: tuple[str, SourceOptions], check: Check) -> None:
    check(*sample)


@pytest.fixture
def stripes(monkeypatch: pytest.MonkeyPatch) -> StripesOptions:
    """The options of a source that is added by its one line."""
    monkeypatch.setitem(SOURCES, "stripes", STRIPES)
    return StripesOptions("stripes")


@every_check
def test_a_source_with_options_of_its_own_keeps(stripes: StripesOptions, check: Check) -> None:
    check("stripes", stripes)


def test_options_of_another_source_are_refused(stripes: StripesOptions) -> None:
    with pytest.raises(InputError, match=r"data\.n_drawn: no such option"):
        parse_config({"data": {"source": "folder", "n_drawn": 3}}, "A preset")
    with pytest.raises(InputError, match=r"data\.n_drawn: .*valid integer"):
        parse_config({"data": {"source": "stripes", "n_drawn": "many"}}, "A preset")
    with pytest.raises(InputError, match="The source stripes takes StripesOptions, not SourceOptions"):
        SOURCES["stripes"](SourceOptions("stripes"))


def test_own_options_stay_where_the_source_stays(stripes: StripesOptions) -> None:
    changed = replace(stripes, n_drawn=7, size=24)
    assert adapt_options(changed, "stripes") is changed
    assert adapt_options(changed, "folder") == SourceOptions("stripes", size=24)
    assert adapt_options(SourceOptions(size=24), "stripes") == StripesOptions("digits", size=24)
    assert adapt_options(changed, "nowhere") is changed


class Doubled(Stripes):
    def names(self) -> list[str]:
        return [*super().names(), "stripes_000"]


class Fractions(Stripes):
    def read(self, name: str, reading: Reading | None = None) -> np.ndarray:
        return super().read(name) / 255


class Grey(Stripes):
    def read(self, name: str, reading: Reading | None = None) -> np.ndarray:
        return super().read(name)[:, :, 0]


class Fading(Stripes):
    """Reading writes into what was handed out."""

    def read(self, name: str, reading: Reading | None = None) -> np.ndarray:
        FADED.setdefault(name, super().read(name))[:] -= 1
        return FADED[name]


FADED: dict[str, np.ndarray] = {}


class Drawing(Stripes):
    """Votes are drawn anew at each call."""

    def votes(self) -> pd.DataFrame:
        return super().votes().sample(frac=1, ignore_index=True)


class Unordered(Stripes):
    def names(self) -> list[str]:
        names = super().names()
        np.random.default_rng().shuffle(names)
        return names


class Elsewhere(Stripes):
    def votes(self) -> pd.DataFrame:
        return super().votes().replace("stripes_001", "stripes_one")


class Unanimous(Stripes):
    def votes(self) -> pd.DataFrame:
        return super().votes().assign(label="across")


class Nameless(Stripes):
    """Takes images of one length for the same."""

    def content(self, name: str) -> bytes:
        return len(self.read(name)).to_bytes(4)


class Stale(Stripes):
    """Takes images of one name for the same, whatever its options."""

    def content(self, name: str) -> bytes:
        return name.encode()


class Numbers(Stripes):
    def names(self) -> list[str]:
        return list(range(self.n_drawn))  # type: ignore[arg-type]

    def read(self, name: str, reading: Reading | None = None) -> np.ndarray:
        return super().read(f"{name:03d}")


FAULTY: dict[type[Source], str] = {
    Doubled: "check_names_are_different_and_readable",
    Fractions: "check_names_are_different_and_readable",
    Grey: "check_names_are_different_and_readable",
    Fading: "check_reading_again_gives_the_same",
    Drawing: "check_reading_again_gives_the_same",
    Unordered: "check_reading_again_gives_the_same",
    Elsewhere: "check_votes_are_countable",
    Unanimous: "check_votes_are_countable",
    Nameless: "check_content_tells_images_apart",
    Stale: "check_content_tells_options_apart",
    Numbers: "check_names_are_different_and_readable",
}


@pytest.mark.parametrize("source", FAULTY)
def test_faulty_source_is_refused(
    monkeypatch: pytest.MonkeyPatch, stripes: StripesOptions, source: Callable[..., Source]
) -> None:
    kind = SourceKind(
        lambda options: source(options.n_drawn, options.contrast, options.directions, options.is_dark), StripesOptions
    )
    monkeypatch.setitem(SOURCES, "stripes", kind)
    with pytest.raises((AssertionError, InputError)):
        getattr(source_checks, FAULTY[source])("stripes", stripes)


@dataclass(frozen=True)
class Clashing(SourceOptions):
    """Its seed would be the seed of the training as well."""

    seed: int = 0


@dataclass(frozen=True)
class Overriding(SourceOptions):
    """A size that the command line would set back."""

    size: int = 64


@dataclass(frozen=True)
class Unwritten(SourceOptions):
    """A set, which no record can hold."""

    kinds: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("options", "check"),
    [
        (Clashing, "check_options_only_add_to_the_shared_ones"),
        (Overriding, "check_options_only_add_to_the_shared_ones"),
        (Unwritten, "check_options_come_back_from_record_and_preset"),
    ],
)
def test_faulty_options_are_refused(monkeypatch: pytest.MonkeyPatch, options: type[SourceOptions], check: str) -> None:
    monkeypatch.setitem(SOURCES, "faulty", SourceKind(STRIPES.build, options))
    with pytest.raises(AssertionError):
        getattr(source_checks, check)("faulty", options("faulty"))
