"""Images and votes that are named are a lab's own, and all their votes are used; a preset is taken as it is."""

import pytest

from dc3.options import TrainOptions, parse_options, take_preset


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
    config, rest = take_preset(given)
    assert (config.split.split, config.data.source) == (split, source)
    assert config.split.labels == ("soft" if split == "stable" else "drawn")
    assert "--images" not in given or "--images" in rest


def test_the_split_is_chosen_by_flags() -> None:
    config, rest = take_preset(["--images", "i", "--votes", "v", "--split", "mine.csv", "--groups", "patient"])
    more = [*rest, "--no-near-duplicates", "--no-reuse-labelled", "--labels", "majority"]
    split = parse_options(TrainOptions, TrainOptions(config), more, "train", "Trains.").config.split
    assert (split.split, split.groups, split.labels) == ("mine.csv", "patient", "majority")
    assert not split.near_duplicates
    assert not split.reuse_labelled
    assert split.labelled == 1.0
