"""The bank: equal to the network, computed once, never taken for other inputs, mended where it is damaged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from data.errors import InputError
from data.images.deep import Reading
from data.ingest import Dataset
from tests.training.features.conftest import N_IMAGES, N_VIEWS, SIZE, Opener, build_tiny, draw_dataset
from training.batches.augment import to_unit_range
from training.features import bank as bank_module
from training.features import compute as compute_module
from training.features.blocks import BLOCK
from training.features.extractor import Extractor
from training.features.progress import Progress
from training.features.views import MIRRORED, make_views
from training.networks.heads import Network

BOTH = frozenset({"weak", "strong"})


def embed(network: Network, pixels: np.ndarray) -> np.ndarray:
    """Features by torch, layer by layer."""
    with torch.inference_mode():
        return network.eval().features(to_unit_range(torch.from_numpy(pixels))).numpy()


def count_work(opener: Opener, **options: object) -> int:
    """Features that the call computes or takes from an earlier bank."""
    reports: list[Progress] = []
    opener(on_progress=reports.append, **options)
    told = [report for report in reports if not report.notice]
    return told[-1].done - told[0].done if told else 0


def list_notices(opener: Opener, **options: object) -> list[str]:
    reports: list[Progress] = []
    opener(on_progress=reports.append, **options)
    return [report.notice for report in reports if report.notice]


def find(cache: Path, name: str) -> Path:
    (path,) = cache.glob(f"*/{name}")
    return path


def test_features_are_the_networks_but_for_rounding_to_float16(
    opener: Opener, network: Network, dataset: Dataset
) -> None:
    found = opener(views=BOTH)
    assert (found.plain.shape, found.plain.dtype) == ((N_IMAGES, 128), np.float16)
    expected = {"plain": embed(network, dataset.images)}
    for kind in ("weak", "strong"):
        views = make_views(dataset.images, dataset.digests, kind, N_VIEWS)
        expected[kind] = embed(network, views).reshape(N_IMAGES, N_VIEWS, 128)
    for kind, features in expected.items():
        # half a unit in the last of ten bits, and float32's own differences
        np.testing.assert_allclose(getattr(found, kind).astype(np.float32), features, rtol=2**-11 + 1e-5, atol=2e-6)


def test_only_asked_for_views_are_computed_and_each_once(opener: Opener) -> None:
    assert count_work(opener, views=frozenset()) == N_IMAGES
    assert opener(views=frozenset()).weak is None
    assert count_work(opener) == N_IMAGES * N_VIEWS
    assert count_work(opener, views=BOTH) == N_IMAGES * N_VIEWS
    assert count_work(opener, views=BOTH) == 0
    assert count_work(opener, n_views=2) == N_IMAGES * 2


def test_votes_names_and_the_head_share_one_bank(opener: Opener, network: Network, dataset: Dataset) -> None:
    opener()
    other_head = build_tiny()
    torch.nn.init.normal_(other_head.head.weight)
    other = dataset._replace(counts=dataset.counts * 7, names=tuple(f"x{name}" for name in dataset.names))
    assert count_work(opener, dataset=other._replace(fingerprint="other"), network=other_head) == 0


class Changed(NamedTuple):
    """One input of the key that is another."""

    network: Callable[[Network], Network] = lambda network: network
    dataset: Callable[[Dataset], Dataset] = lambda dataset: dataset


def change_weight(network: Network) -> Network:
    network = build_tiny()
    with torch.no_grad():
        network.backbone.get_parameter("stem.conv.weight")[0, 0, 0, 0] += 1e-6
    return network


def change_statistics(network: Network) -> Network:
    network = build_tiny()
    network.backbone.get_buffer("stem.norm.running_mean")[0] += 1e-6
    return network


def change_range(network: Network) -> Network:
    network = build_tiny()
    network.backbone.normalisation = network.backbone.normalisation._replace(mean=(0.5, 0.5, 0.4))
    return Network(network.backbone, network.head)


def change_image(dataset: Dataset) -> Dataset:
    pixels = dataset.images.copy()
    pixels[7] = 255 - pixels[7]
    return dataset._replace(images=pixels, digests=(*dataset.digests[:7], "f" * 20, *dataset.digests[8:]))


CHANGES = {
    "weight": Changed(change_weight),
    "batch statistics": Changed(change_statistics),
    "normalisation": Changed(change_range),
    "input size": Changed(lambda network: build_tiny(input_size=24)),
    "stored size": Changed(lambda network: build_tiny(size=24), lambda dataset: draw_dataset(size=24)),
    "reading": Changed(dataset=lambda dataset: dataset._replace(reading=Reading({"16-bit grey": (0.0, 9.0)}))),
    "page": Changed(dataset=lambda dataset: dataset._replace(reading=Reading({}, 2))),
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_input_never_meets_an_old_bank(
    name: str, opener: Opener, network: Network, dataset: Dataset, tmp_path: Path
) -> None:
    opener()
    changed = {"network": CHANGES[name].network(network), "dataset": CHANGES[name].dataset(dataset)}
    assert count_work(opener, **changed) == N_IMAGES * (1 + N_VIEWS)
    found = opener(**changed)
    expected = embed(changed["network"], changed["dataset"].images)
    np.testing.assert_allclose(found.plain.astype(np.float32), expected, rtol=2**-11 + 1e-5, atol=2e-6)
    assert len({path.parent for path in tmp_path.glob("*/plain.npy")}) == 2


def test_rules_of_decoding_are_part_of_the_key(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    opener()
    monkeypatch.setattr("data.ingest.RULES", 99)
    assert count_work(opener) == N_IMAGES * (1 + N_VIEWS)


def test_a_changed_or_new_image_is_computed_and_the_others_are_taken(
    opener: Opener, network: Network, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opener()
    changed = change_image(dataset)
    order = np.r_[100:150, 0:50, 7]  # fewer, in another order, and one twice
    other = changed._replace(
        images=changed.images[order],
        names=tuple(str(place) for place in range(len(order))),
        digests=tuple(changed.digests[row] for row in order),
    )
    passed = count_passed(monkeypatch)
    found = opener(dataset=other)
    assert sum(passed) == 2 * (1 + N_VIEWS)  # image 7, which is there twice
    kept = np.flatnonzero(order != 7)
    np.testing.assert_array_equal(found.weak[kept], first.weak[order[kept]])  # type: ignore[index]
    expected = embed(network, other.images)
    np.testing.assert_allclose(found.plain.astype(np.float32), expected, rtol=2**-11 + 1e-5, atol=2e-6)
    views = make_views(other.images, other.digests, "weak", N_VIEWS)
    weak = embed(network, views).reshape(len(order), N_VIEWS, -1)
    np.testing.assert_allclose(found.weak, weak, rtol=2**-11 + 1e-5, atol=2e-6)  # type: ignore[arg-type]


def count_passed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the number of images of each batch that is passed through the network."""
    passed: list[int] = []
    build = bank_module.build_extractor

    def counting(*arguments: object) -> Extractor:
        extractor = build(*arguments)  # type: ignore[arg-type]

        def run(pixels: np.ndarray) -> np.ndarray:
            passed.append(len(pixels))
            return extractor.run(pixels)

        return extractor._replace(run=run)

    monkeypatch.setattr(bank_module, "build_extractor", counting)
    return passed


def test_an_earlier_bank_whose_list_of_images_was_changed_is_not_taken(
    opener: Opener, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener()
    listed = find(tmp_path, "images.txt")
    lines = listed.read_text().splitlines()
    listed.write_text("\n".join([*lines[1:], lines[0]]))  # each digest now names another's row
    passed = count_passed(monkeypatch)
    opener(dataset=change_image(dataset))
    assert sum(passed) == N_IMAGES * (1 + N_VIEWS)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def scramble_header(path: Path) -> None:
    path.write_bytes(b"?" * 128 + path.read_bytes()[128:])


def end_journal_early(path: Path) -> None:
    journal = path.with_suffix(".blocks")
    journal.write_text(journal.read_text()[:-5])


DAMAGE = {
    "a flipped bit": (flip_a_bit, 1),
    "cut short": (cut, 1),
    "a scrambled header": (scramble_header, 3),
    "empty": (lambda path: path.write_bytes(b""), 3),
    "gone": (Path.unlink, 3),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_said_and_only_what_is_damaged_computed_anew(name: str, opener: Opener, tmp_path: Path) -> None:
    kept = np.array(opener().weak)
    do, n_blocks = DAMAGE[name]
    do(find(tmp_path, f"weak-{N_VIEWS}.npy"))
    reports: list[Progress] = []
    found = opener(on_progress=reports.append)
    np.testing.assert_array_equal(found.weak, kept)  # type: ignore[arg-type]
    assert f"{n_blocks} of 3 blocks" in reports[0].notice
    assert "weak-3.npy are damaged or cut off; they are computed anew" in reports[0].notice
    lacking = N_IMAGES - 2 * BLOCK if name == "cut short" else n_blocks * BLOCK if n_blocks == 1 else N_IMAGES
    assert reports[-1].done - reports[1].done == lacking * N_VIEWS
    assert list_notices(opener) == []


def test_a_line_of_the_journal_that_was_written_half_costs_its_block_alone(opener: Opener, tmp_path: Path) -> None:
    kept = np.array(opener().weak)
    end_journal_early(find(tmp_path, f"weak-{N_VIEWS}.npy"))
    assert count_work(opener) == (N_IMAGES - 2 * BLOCK) * N_VIEWS
    assert count_work(opener) == 0
    np.testing.assert_array_equal(opener().weak, kept)  # type: ignore[arg-type]


class Stopped(Exception):  # noqa: N818
    """Stands for any end in the midst of the work."""


def test_what_was_written_before_an_end_is_taken_and_the_bank_is_the_same(
    opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = opener(cache=tmp_path / "whole", views=BOTH)

    def stop(progress: Progress) -> None:
        if progress.done >= 400:
            raise Stopped

    with pytest.raises(Stopped):
        opener(cache=tmp_path / "cut", views=BOTH, on_progress=stop)
    passed = count_passed(monkeypatch)
    found = opener(cache=tmp_path / "cut", views=BOTH)
    # at most the block in hand is lost: 64 images of V views
    assert sum(passed) <= N_IMAGES * (1 + 2 * N_VIEWS) - 400 + BLOCK * N_VIEWS
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("value", [np.nan, np.inf, 65520.0])
def test_features_that_float16_cannot_hold_are_an_error_that_names_the_images(
    value: float, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(pixels: np.ndarray) -> np.ndarray:
        features = np.zeros((len(pixels), 128), np.float32)
        features[3, 5] = value
        return features

    monkeypatch.setattr(bank_module, "build_extractor", lambda *arguments: Extractor(run, 200, "nowhere"))
    with pytest.raises(InputError, match=rf"at most 65,504.* those of 3\.png reach {value:g}") as told:
        opener()
    assert "--pretrained" in str(told.value)
    assert "4.png" not in str(told.value)


def test_the_largest_number_of_float16_is_no_fault(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Extractor(lambda pixels: np.full((len(pixels), 128), 65504.0, np.float32), 16, "nowhere")
    monkeypatch.setattr(bank_module, "build_extractor", lambda *arguments: full)
    assert opener().plain.max() == 65504


def test_a_disk_too_small_is_told_before_the_work(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 10_000})
    monkeypatch.setattr(bank_module.shutil, "disk_usage", lambda path: usage)
    passed = count_passed(monkeypatch)
    with pytest.raises(InputError, match=r"needs 0 MB more .* there are 0 MB free: make room"):
        opener()
    assert not passed


def test_a_full_disk_is_told_and_what_was_written_stays(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = compute_module.Blocks.write, []

    def fail_late(self: compute_module.Blocks, block: int, values: np.ndarray) -> None:
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        written.append(block)
        write(self, block, values)

    monkeypatch.setattr(compute_module.Blocks, "write", fail_late)
    with pytest.raises(InputError, match=r"No space left on device\. What was computed stays"):
        opener()
    monkeypatch.undo()
    assert count_work(opener) == (N_IMAGES - BLOCK) * N_VIEWS


def test_the_index_says_in_the_clear_what_the_bank_hangs_on(opener: Opener, network: Network, tmp_path: Path) -> None:
    opener()
    index = json.loads(find(tmp_path, "index.json").read_text())
    assert index["network"] == "Small"
    assert index["stored_size"] == SIZE
    assert index["reading"] == {"ranges": {}, "page": 0}
    assert index["weights"] == bank_module.describe(network, draw_dataset(), ())["weights"]


def test_a_data_set_without_digests_is_known_by_its_pixels(opener: Opener, dataset: Dataset) -> None:
    bare = dataset._replace(digests=())
    opener(dataset=bare)
    assert count_work(opener, dataset=bare) == 0
    pixels = dataset.images.copy()
    pixels[9, 0, 0, 0] ^= 1
    found = opener(dataset=bare._replace(images=pixels))
    assert not np.array_equal(found.plain[9], opener(dataset=bare).plain[9])


def test_the_bank_cannot_be_written_to_and_lies_on_disk(opener: Opener) -> None:
    found = opener(views=BOTH | {MIRRORED})
    for table in found:
        assert isinstance(table, np.memmap)
        assert not table.flags.writeable


def test_mirror_images_are_those_of_left_and_right_exchanged(opener: Opener, dataset: Dataset) -> None:
    found = opener(views=frozenset({MIRRORED}))
    assert found.mirrored is not None
    assert len(found.predicting) == 2
    flipped = dataset._replace(images=np.ascontiguousarray(dataset.images[:, :, ::-1]), digests=())
    np.testing.assert_array_equal(found.mirrored, opener(dataset=flipped).plain)
    assert len(opener().predicting) == 1


def test_layers_are_in_training_again_afterwards(opener: Opener, dataset: Dataset) -> None:
    network = build_tiny().train()
    network.backbone.stages.eval()  # type: ignore[union-attr]
    opener(network=network)
    assert network.training
    assert network.head.training
    assert not network.backbone.stages.training  # type: ignore[union-attr]
