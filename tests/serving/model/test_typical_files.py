"""Typical images travel in the model's file and come back one by one, each of the model that its address names."""

import asyncio
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.predictions import Predictions
from serving.export.to_onnx import choose_typical, export_onnx
from serving.http.model_facts import describe_model
from serving.model.card import BadModel, read_card
from serving.model.session import Model
from serving.model.typical_files import SIDE, encode_typical, name_typical
from serving.settings import Settings
from tests.serving.http.test_app import in_process
from tests.serving.running import CARD, TinyPredictor, make_images


def picture(data: bytes) -> np.ndarray:
    """The pixels of an image file."""
    return np.asarray(Image.open(io.BytesIO(data), formats=["JPEG"])).astype(int)


def test_images_keep_their_look_and_large_ones_become_small() -> None:
    small, large = make_images(1, 16)[0], make_images(1, 128)[0]
    (files,) = encode_typical([[small, large]])
    assert np.abs(picture(files[0]) - small).mean() < 8
    assert picture(files[1]).shape == (SIDE, SIDE, 3)
    assert len(files[1]) < 10_000


def test_the_file_gives_back_what_the_export_put_in(model_path: Path) -> None:
    card = Model(model_path).card
    assert card.typical == CARD.typical
    assert [len(images) for images in card.typical] == [4, 4, 4, 4, 4, 0]
    assert name_typical(card)["3/1.jpg"] == CARD.typical[3][1]


def test_the_model_says_in_words_how_good_it_is_and_an_older_file_that_nobody_measured() -> None:
    figures = {
        **{"proposals_right": 0.3, "proposals_right_commonest": 0.3, "measured_images": 500.0},
        **{"ambiguity_auroc": 0.8, "disputed_images": 250.0},
    }
    quality = describe_model(replace(CARD, metrics=figures), "v")["quality"]
    assert isinstance(quality, dict)
    assert (quality["proposals_help"], quality["ambiguity_helps"]) == (False, True)
    assert "The ambiguity finds disputed images: sort by it." in quality["words"]
    assert describe_model(CARD, "v")["quality"] == {
        "words": ("How good this model is was not measured.",),
        "proposals_help": None,
        "ambiguity_helps": None,
    }


def test_a_file_of_an_older_export_has_none(tmp_path: Path) -> None:
    metadata = CARD.to_metadata()
    del metadata["typical"], metadata["registered"]
    card = read_card(metadata, "old.onnx")
    assert card == replace(CARD, typical=())
    assert [entry["images"] for entry in describe_model(card, "v")["clusters"]] == [[]] * 6  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("typical", "message"),
    [
        (["abc"], "typical is no list of lists of base64"),
        ([[5]], "typical is no list of lists of base64"),
        ([["*"]], "typical is no list of lists of base64"),
        ("a", "typical is '\"a\"'"),
        ([[], []], "typical images of 2 of its 6 clusters"),
    ],
)
def test_typical_images_that_are_none_are_named(typical: object, message: str) -> None:
    with pytest.raises(BadModel, match=message):
        read_card(CARD.to_metadata() | {"typical": json.dumps(typical)}, "bad.onnx")


def test_ambiguous_images_are_typical_and_all_images_where_none_is() -> None:
    """8 images; the first cluster has one ambiguous image of four, the second none."""
    predictions = Predictions(
        images=np.array([f"{number}.png" for number in range(8)]),
        parts=np.array(["unlabelled"] * 8),
        classes=np.eye(2, dtype=np.float32)[[0] * 8],
        clusters=np.eye(3, dtype=np.float32)[[0, 0, 0, 0, 1, 1, 1, 1]],
        ambiguity=np.array([0, 0, 0, 0.9, 0, 0, 0, 0], np.float32),
        embedding=np.array([[0], [0], [0], [0], [9], [2], [3], [4]], np.float32),
        votes=np.zeros((8, 2), np.int64),
        class_names=("x", "y"),
    )
    # the mean of 9, 2, 3, 4 is 4.5: image 7 (4) is nearest, then 6 (3), then 5 (2)
    assert choose_typical(predictions, 3, 3) == [["3.png"], ["7.png", "6.png", "5.png"], []]
    assert choose_typical(predictions, 3, 0) == []


def test_the_service_lists_and_hands_out_typical_images(model_path: Path) -> None:
    async def scenario() -> None:
        async with in_process(Settings(model_path)) as client:
            document = (await client.get("/model")).json()
            assert [len(entry["images"]) for entry in document["clusters"]] == [4, 4, 4, 4, 4, 0]
            assert [entry["caption"] for entry in document["clusters"]] == list(CARD.captions)
            for cluster, entry in enumerate(document["clusters"]):
                for place, address in enumerate(entry["images"]):
                    answer = await client.get(f"/{address}")
                    assert answer.content == CARD.typical[cluster][place]
                    assert answer.headers["content-type"] == "image/jpeg"
                    assert "immutable" in answer.headers["cache-control"]
            unversioned = await client.get("/model/clusters/3/0.jpg")
            assert unversioned.content == CARD.typical[3][0]
            assert unversioned.headers["cache-control"] == "no-store"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("5/0.jpg", "no_such_image"),
        ("6/0.jpg", "no_such_image"),
        ("-1/0.jpg", "no_such_image"),
        ("0/00.jpg", "no_such_image"),
        ("9" * 5000 + "/0.jpg", "no_such_image"),
        ("0/0.jpg?version=another", "other_model"),
    ],
)
def test_what_is_not_there_is_a_404_that_says_so(model_path: Path, path: str, reason: str) -> None:
    async def scenario() -> None:
        async with in_process(Settings(model_path)) as client:
            answer = await client.get(f"/model/clusters/{path}")
            assert (answer.status_code, answer.json()["error"]["reason"]) == (404, reason)

    asyncio.run(scenario())


def test_a_metric_without_a_value_is_null(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(TinyPredictor(), replace(CARD, metrics={"f1": float("nan")}), make_images(2), path)

    async def scenario() -> None:
        async with in_process(Settings(path)) as client:
            assert (await client.get("/model")).json()["metrics"] == {"f1": None}

    asyncio.run(scenario())
