"""Exports of annotation tools and folders: an answer is a vote, what is none is left out and said."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from data.errors import InputError
from data.votes.forms import FORMS
from data.votes.options import VoteOptions
from data.votes.reader import read_votes
from dc3.__main__ import main
from tests.data.votes.forms.reading import count, read, say

VOTED = {("a.jpg", "cat"): 2, ("a.jpg", "dog"): 1, ("b.jpg", "dog"): 1}


def _task(image: str, *answers: dict[str, object]) -> dict[str, object]:
    return {"id": 1, "data": {"image": image}, "annotations": list(answers), "predictions": [{"result": []}]}


def _answer(label: str, who: object, **more: object) -> dict[str, object]:
    result = [{"type": "choices", "from_name": "choice", "to_name": "image", "value": {"choices": [label]}}]
    return {"completed_by": who, "result": result, "lead_time": 2.5, "created_at": "2026-01-05T10:00:00Z", **more}


def test_label_studios_json_gives_a_vote_an_annotation(tmp_path: Path) -> None:
    tasks = [
        _task("a.jpg", _answer("cat", 1), _answer("cat", {"id": 2, "email": "ben@lab"}), _answer("dog", 3)),
        _task("b.jpg", _answer("dog", 1), _answer("cat", 2, was_cancelled=True), {"completed_by": 3, "result": []}),
    ]
    table = read(tmp_path, json.dumps(tasks), "ls.json")
    assert count(table) == VOTED
    assert table.rows["annotator"].tolist() == ["1", "ben@lab", "3", "1"]
    assert table.rows["seconds"].tolist() == [2.5] * 4
    assert "1 skipped task(s) that are no votes" in say(table)
    assert "1 annotation(s) without a choice that are no votes" in say(table)


ROWS = [
    {"annotation_id": n, "annotator": who, "animal": label, "created_at": "2026-01-05T10:00:00Z", "id": 1,
     "photo": f"/data/upload/3/8f2e41aa-{image}", "lead_time": 2.5, "updated_at": f"2026-01-05T10:0{n}:00Z"}
    for n, (image, label, who) in enumerate(
        [("a.jpg", "cat", "anna"), ("a.jpg", "cat", "ben"), ("a.jpg", "dog", "carl"), ("b.jpg", "dog", "anna")]
    )
]  # fmt: skip


@pytest.mark.parametrize("name", ["min.json", "ls.csv"])
def test_label_studios_rows_have_whatever_names_the_tags_have(tmp_path: Path, name: str) -> None:
    text = json.dumps(ROWS) if name == "min.json" else pd.DataFrame(ROWS).to_csv(index=False)
    table = read(tmp_path, text, name)
    assert count(table) == {(f"/data/upload/3/8f2e41aa-{image}", label): n for (image, label), n in VOTED.items()}
    assert "photo is read as the image, animal as the label" in say(table)


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><assignee><username>anna</username></assignee></task></meta>
<image id="0" name="a.jpg" width="9" height="9"><tag label="cat" source="manual"/></image>
<image id="1" name="b.jpg" width="9" height="9"><tag label="dog" source="manual"/><box label="x" xtl="1"/></image>
<image id="2" name="c.jpg" width="9" height="9"/></annotations>"""


def test_cvats_tags_are_votes_and_its_boxes_are_none(tmp_path: Path) -> None:
    table = read(tmp_path, CVAT, "annotations.xml")
    assert table.rows.to_dict("list") == {
        "image": ["a.jpg", "b.jpg"], "label": ["cat", "dog"], "annotator": ["anna", "anna"]
    }  # fmt: skip
    assert "1 shape(s) (boxes, polygons) that are no votes" in say(table)


def test_xml_with_entities_of_its_own_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]>' + CVAT.partition("\n")[2].replace('"cat"', '"&b;"')
    with pytest.raises(InputError, match="XML with a DOCTYPE"):
        read(tmp_path, bomb, "annotations.xml")


COCO = {
    "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
    "categories": [{"id": 7, "name": "cat"}, {"id": 8, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 7, "annotator": "anna"},
        {"id": 2, "image_id": 1, "category_id": 7, "annotator": "ben"},
        {"id": 3, "image_id": 1, "category_id": 8, "annotator": "carl"},
        {"id": 4, "image_id": 2, "category_id": 8, "annotator": "anna"},
    ],
}


def test_cocos_annotations_of_whole_images_are_votes(tmp_path: Path) -> None:
    table = read(tmp_path, json.dumps(COCO), "coco.json")
    assert count(table) == VOTED
    assert table.rows["annotator"].tolist() == ["anna", "ben", "carl", "anna"]
    boxed = {**COCO, "annotations": [{**COCO["annotations"][0], "bbox": [0, 0, 3, 3]}]}
    with pytest.raises(InputError, match="1 of 1 annotations are boxes or outlines"):
        read(tmp_path, json.dumps(boxed), "coco.json")
    with pytest.raises(InputError, match="no whole COCO file: KeyError"):
        read(tmp_path, json.dumps({**COCO, "categories": []}), "coco.json")


def test_zooniverses_export_and_its_extracts_are_votes(tmp_path: Path) -> None:
    answers = [("a.jpg", "cat", "anna"), ("a.jpg", "cat", "ben"), ("a.jpg", "dog", "not-logged-in-1"),
               ("b.jpg", "dog", "anna")]  # fmt: skip
    export = pd.DataFrame(
        [
            {
                "classification_id": n, "user_name": who, "created_at": "2026-01-05 10:00:00 UTC",
                "annotations": json.dumps([{"task": "T0", "task_label": "Which?", "value": label}]),
                "subject_data": json.dumps({str(n): {"retired": None, "#Filename": image}}),
            }
            for n, (image, label, who) in enumerate(answers)
        ]
    )  # fmt: skip
    assert count(read(tmp_path, export.to_csv(index=False), "zoo.csv")) == VOTED
    extracts = pd.DataFrame(
        [
            {
                "classification_id": n, "user_name": who, "task": "T0", "created_at": "2026-01-05 10:00:00 UTC",
                "subject_id": image[0], "extractor": "question_extractor", "data.aggregation_version": "4.1.0",
                "data.cat": 1.0 if label == "cat" else None, "data.dog": 1.0 if label == "dog" else None,
            }
            for n, (image, label, who) in enumerate(answers)
        ]
    )  # fmt: skip
    table = read(tmp_path, extracts.to_csv(index=False), "extracts.csv")
    assert count(table) == {(image[0], label): n for (image, label), n in VOTED.items()}
    assert "images are named by subject_id" in say(table)


def test_dcics_answers_all_count_also_an_annotators_second_one(tmp_path: Path) -> None:
    def given(image: str, label: str | None, second: int) -> dict[str, object]:
        path = f"MiceBone/fold1/{image}.png"
        return {"image_path": path, "class_label": label, "created_at": f"03-02-2021-10-15-0{second}"}

    sets = [
        {"name": "INVALID17", "dataset_name": "MiceBone", "user_mail": "INVALID", "annotation_time": -1,
         "annotations": [given("a", "g", 0), given("a", "nr", 7), given("b", None, 8)]},
        {"name": "INVALID17", "dataset_name": "MiceBone", "user_mail": "INVALID", "annotation_time": 0,
         "annotations": [given("a", "g", 9), given("b", "nr", 9)]},
    ]  # fmt: skip
    table = read(tmp_path, json.dumps(sets), "annotations.json")
    assert count(table) == {
        ("MiceBone/fold1/a.png", "g"): 2, ("MiceBone/fold1/a.png", "nr"): 1, ("MiceBone/fold1/b.png", "nr"): 1
    }  # fmt: skip
    assert table.rows["created_at"][0] == "2021-02-03T10:15:00"
    assert "1 skipped image(s)" in say(table)


def draw(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(root / path)


def test_folders_say_the_class_or_the_annotator_and_the_class(tmp_path: Path) -> None:
    draw(tmp_path / "c", "cat/a.png", "cat/b.png", "dog/deep/c.png", "loose.png")
    table = read_votes(tmp_path / "c")
    assert count(table) == {("cat/a.png", "cat"): 1, ("cat/b.png", "cat"): 1, ("dog/deep/c.png", "dog"): 1}
    assert "1 image(s) that lie in no folder of a class have no vote" in say(table)
    draw(tmp_path / "p", "anna/cat/a.png", "anna/dog/b.png", "ben/cat/b.png", "ben/cat/a.png")
    table = read_votes(tmp_path / "p")
    assert count(table) == {("a.png", "cat"): 2, ("b.png", "dog"): 1, ("b.png", "cat"): 1}
    assert sorted(table.rows["annotator"]) == ["anna", "anna", "ben", "ben"]
    assert "read as: a folder an annotator" in say(table)


def test_a_dc3_data_set_as_published_has_a_label_an_image(tmp_path: Path) -> None:
    draw(tmp_path, "train/g/1.png", "train/nr/2.png", "val/g/3.png", "unlabeled/nr/4.png")
    table = read_votes(tmp_path)
    assert count(table) == {
        ("train/g/1.png", "g"): 1, ("train/nr/2.png", "nr"): 1, ("val/g/3.png", "g"): 1, ("unlabeled/nr/4.png", "nr"): 1
    }  # fmt: skip
    assert "the parts are not kept" in say(table)


def _write_set(path: Path, labels: list[int], names: list[str | None]) -> None:
    images = [{"bytes": bytes([n]), "path": name} for n, name in enumerate(names)]
    facts = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    table = pa.table({"image": images, "label": labels})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(facts)}), path)


def test_a_hugging_face_set_has_named_classes_and_gives_its_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_set(tmp_path / "train.parquet", [0, 1, -1], ["a.jpg", "b.jpg", "c.jpg"])
    out, images = tmp_path / "votes.csv", tmp_path / "images"
    assert main(["votes", str(tmp_path / "train.parquet"), "-o", str(out), "--images-to", str(images)]) == 0
    assert count(read_votes(out)) == {("a.jpg", "cat"): 1, ("b.jpg", "dog"): 1}
    assert [(images / name).read_bytes() for name in ("a.jpg", "b.jpg", "c.jpg")] == [b"\0", b"\1", b"\2"]
    assert "1 row(s) without a label, left out" in capsys.readouterr().out
    _write_set(tmp_path / "x.parquet", [0, 1], ["../a.jpg", "b.jpg"])
    assert main(["votes", str(tmp_path / "x.parquet"), "-o", str(out), "--images-to", str(images)]) == 2
    assert not (tmp_path / "a.jpg").exists()


def test_counts_by_number_take_their_names_from_classes(tmp_path: Path) -> None:
    np.save(tmp_path / "counts.npy", np.array([[2, 0], [1, 3]]))
    out = tmp_path / "v.csv"
    assert main(["votes", str(tmp_path / "counts.npy"), "-o", str(out), "--classes", "cat", "dog"]) == 0
    assert count(read_votes(out)) == {("0", "cat"): 2, ("1", "cat"): 1, ("1", "dog"): 3}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("content", ["x,y\n1,2\n", '{"a": 1}', "[1, 2]", "<a/>", '[{"data": {}, "annotations": []}]'])
def test_what_is_not_of_a_form_is_refused_by_it_in_words(tmp_path: Path, form: str, content: str) -> None:
    (tmp_path / "v").write_text(content)
    try:
        read_votes(tmp_path / "v", options=VoteOptions(form=form))
    except InputError:
        return
    assert form.startswith(("wide", "label_arrays")), "only these take any columns when told to"
