"""Images and votes that are named are a lab's own, and all their votes are used; a preset is taken as it is."""

import pytest

from dc3.options import TrainOptions, parse_options


@pytest.mark.parametrize(
    ("given", "split", "source"),
    [
        (["--source", "folder"], "stable", "folder"),
        (["--source=folder", "--preset", ""], "stable", "folder"),
        (["--images", "i", "--votes", "v"], "stable", "folder"),
        (["--images", "i", "--votes", "v", "--source", "cifar10h"], "paper", "digits"),
        (["--preset", "cifar10h_small", "--images", "i", "--votes", "v"], "paper", "folder"),
        (["--preset", "digits", "--source", "folder"], "paper", "digits"),
        ([], "paper", "digits"),
    ],
)
def test_own_data_have_their_own_preset(given: list[str], split: str, source: str) -> None:
    options, preset = parse_options(TrainOptions, given, "train", "")
    config = options.config
    assert (preset.split.split, preset.data.source) == (split, source)
    assert config.split.labels == ("soft" if split == "stable" else "drawn")
    assert config.data.images == ("i" if "--images" in given else "")


def test_own_data_are_trained_on_pretrained_features_that_need_no_download() -> None:
    network = parse_options(TrainOptions, ["--images", "i", "--votes", "v"], "train", "")[0].config.network
    assert (network.network, network.pretrained, network.freeze) == ("tf_efficientnet_lite0", "default", "all")


def test_the_split_is_chosen_by_flags() -> None:
    given = ["--images", "i", "--votes", "v", "--split", "mine.csv", "--groups", "patient"]
    more = [*given, "--no-near-duplicates", "--no-reuse-labelled", "--labels", "majority"]
    split = parse_options(TrainOptions, more, "train", "Trains.")[0].config.split
    assert (split.split, split.groups, split.labels) == ("mine.csv", "patient", "majority")
    assert not split.near_duplicates
    assert not split.reuse_labelled
    assert split.labelled == 1.0
