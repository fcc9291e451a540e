"""Every source of SOURCES keeps its contract; a new source adds its options here and nothing else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.errors import InputError
from data.sources import SOURCES, SourceOptions
from data.sources.source import Source
from data.votes.counts import is_voted
from data.votes.reader import count_votes


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """One real, small source of each kind."""
    options = {"digits": lambda: SourceOptions(), "folder": _folder, "cifar10h": _cifar10h}[request.param]
    return SOURCES[request.param](options(*([] if request.param == "digits" else [tmp_path])))


def _folder(folder: Path) -> SourceOptions:
    (folder / "images").mkdir()
    for name in "ab":
        Image.new("RGB", (9, 5)).save(folder / "images" / f"{name}.png")
    pd.DataFrame({"image": ["a.png", "b.png"], "label": ["x", "y"]}).to_csv(folder / "v.csv", index=False)
    return SourceOptions("folder", str(folder / "images"), str(folder / "v.csv"))


def _cifar10h(folder: Path) -> SourceOptions:
    """CIFAR-10's file format with random pixels: the real files cannot be downloaded where tests run."""
    import hashlib
    import pickle

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


def test_names_are_different_and_readable(source: Source) -> None:
    names = source.names()
    assert len(set(names)) == len(names) >= 2
    for name in (names[0], names[-1]):
        image = source.read(name)
        assert image.ndim == 3
        assert image.shape[2] == 3
        assert image.dtype == np.uint8
        assert isinstance(source.content(name), bytes)


def test_votes_are_countable(source: Source) -> None:
    votes = count_votes(source.votes(), source.names(), source.classes())
    assert is_voted(votes.counts).all()


def test_reading_twice_gives_the_same(source: Source) -> None:
    name = source.names()[0]
    assert source.content(name) == source.content(name)
    assert source.votes().equals(source.votes())


@pytest.mark.parametrize("name", ["folder", "cifar10h"])
def test_missing_paths_are_named(name: str) -> None:
    with pytest.raises(InputError, match="needs --images and --votes"):
        SOURCES[name](SourceOptions(name))
