"""What of an export or a wide table is no vote, or not sure to be one, is left out or refused, and this is said."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import InputError
from data.votes.reader import read_votes
from tests.data.votes.forms.reading import count, read, say
from tests.data.votes.forms.test_exports import COCO, CVAT, ROWS, draw


def test_cocos_outlines_are_no_votes_either(tmp_path: Path) -> None:
    outlined = {**COCO, "annotations": [{**COCO["annotations"][0], "segmentation": [[0, 0, 1, 0, 1, 1]]}]}
    with pytest.raises(InputError, match="1 of 1 annotations are boxes or outlines"):
        read(tmp_path, json.dumps(outlined), "coco.json")


def test_several_tags_of_one_image_are_votes_of_nobody_named(tmp_path: Path) -> None:
    text = CVAT.replace('<tag label="cat" source="manual"/>', '<tag label="cat"/><tag label="dog"/>')
    table = read(tmp_path, text, "annotations.xml")
    assert count(table) == {("a.jpg", "cat"): 1, ("a.jpg", "dog"): 1, ("b.jpg", "dog"): 1}
    assert "annotator" not in table.rows, "else the second tag would replace the first"
    assert "1 image(s) with several tags: each tag counts as a vote" in say(table)


def test_cvats_job_names_its_person_too(tmp_path: Path) -> None:
    text = CVAT.replace("<task><assignee><username>anna</username></assignee></task>",
                        "<job><assignee>ben</assignee></job>")  # fmt: skip
    assert read(tmp_path, text, "annotations.xml").rows["annotator"].tolist() == ["ben", "ben"]


def test_folders_within_classes_make_no_annotators(tmp_path: Path) -> None:
    draw(tmp_path, "cat/left/1.png", "cat/right/2.png", "dog/left/3.png", "dog/right/4.png")
    table = read_votes(tmp_path)
    assert sorted(table.rows["label"]) == ["cat", "cat", "dog", "dog"]
    assert "read as: folders called by class" in say(table)


def test_columns_of_unequal_length_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="JSON of no form that is known"):
        read(tmp_path, json.dumps({"image": ["a.jpg", "b.jpg"], "label": ["cat"]}), "columns.json")


def test_images_of_one_path_are_called_by_their_rows_and_keep_their_annotators(tmp_path: Path) -> None:
    images = [{"bytes": bytes([n]), "path": "image.png"} for n in range(3)]
    facts = {"info": {"features": {"label": {"names": ["cat", "dog"]}}}}
    rows = pa.table({"image": images, "label": [0, 1, 1], "worker": ["anna", "ben", "ben"]})
    pq.write_table(rows.replace_schema_metadata({"huggingface": json.dumps(facts)}), tmp_path / "set.parquet")
    table = read_votes(tmp_path / "set.parquet")
    assert table.rows["image"].tolist() == ["set_000000.png", "set_000001.png", "set_000002.png"]
    assert table.rows["annotator"].tolist() == ["anna", "ben", "ben"]
    assert "images have no path and are called set_000000.png" in say(table)


def test_an_index_of_class_numbers_is_no_annotator(tmp_path: Path) -> None:
    pd.DataFrame({"number": [0, 1, 2], "random_label1": [4, 5, 6], "random_label2": [4, 6, 6]}).to_csv(
        tmp_path / "noisy.csv", index=False
    )
    assert count(read_votes(tmp_path / "noisy.csv")) == {("0", "4"): 2, ("1", "5"): 1, ("1", "6"): 1, ("2", "6"): 2}


def _task(*answers: dict[str, object], name: str = "annotations") -> str:
    return json.dumps([{"data": {"image": "a.jpg"}, name: list(answers)}, {"data": {"image": "b.jpg"}, name: []}])


def _answer(*labels: str, who: int = 1, **times: str) -> dict[str, object]:
    return {"completed_by": who, "result": [{"value": {"choices": list(labels)}}], **times}


def test_label_studios_several_choices_are_no_vote_and_old_exports_have_completions(tmp_path: Path) -> None:
    text = _task(_answer("cat"), _answer("cat", "dog", who=2), _answer("dog", who=3), name="completions")
    table = read(tmp_path, text, "ls.json")
    assert count(table) == {("a.jpg", "cat"): 1, ("a.jpg", "dog"): 1}
    assert "1 annotation(s) with several choices that are no votes" in say(table)


def test_the_answer_that_was_changed_last_counts(tmp_path: Path) -> None:
    first = _answer("cat", created_at="2026-01-01T10:00:00Z", updated_at="2026-01-09T10:00:00Z")
    second = _answer("dog", created_at="2026-01-02T10:00:00Z", updated_at="2026-01-03T10:00:00Z")
    other = _answer("dog", who=2, created_at="2026-01-02T10:00:00Z")
    assert read(tmp_path, _task(first, second, other), "ls.json").rows["label"].tolist() == ["cat", "dog"]


def test_label_studios_cells_with_several_choices_are_no_votes(tmp_path: Path) -> None:
    rows = [*ROWS, {**ROWS[0], "annotation_id": 9, "annotator": "dora", "animal": '{"choices": ["cat", "dog"]}'}]
    table = read(tmp_path, pd.DataFrame(rows).to_csv(index=False), "ls.csv")
    assert set(table.rows["label"]) == {"cat", "dog"}
    assert "1 annotation(s) without a choice, or with several, that are no votes" in say(table)


def _classification(number: int, *answers: tuple[str, object]) -> dict[str, object]:
    return {
        "classification_id": number,
        "user_name": f"user {number}",
        "annotations": json.dumps([{"task": task, "value": value} for task, value in answers]),
        "subject_data": json.dumps({"1": {"Filename": "a.jpg"}}),
    }


def test_zooniverses_questions_are_never_mixed(tmp_path: Path) -> None:
    several = [_classification(1, ("T0", "cat")), _classification(2, ("T0", "dog"), ("T1", "yes"))]
    table = read(tmp_path, pd.DataFrame(several).to_csv(index=False), "zoo.csv")
    assert count(table) == {("a.jpg", "cat"): 1}
    assert "1 classification(s) without one single answer, left out" in say(table)
    two = [_classification(1, ("T0", "cat")), _classification(2, ("T1", "yes"))]
    with pytest.raises(InputError, match="answers to several questions, T0, T1"):
        read(tmp_path, pd.DataFrame(two).to_csv(index=False), "zoo.csv")


def test_zooniverses_extracts_of_several_answers_are_no_votes_and_people_keep_their_names(tmp_path: Path) -> None:
    rows = [("anna", 1.0, np.nan), ("ben", 1.0, 1.0), ("carl", np.nan, 1.0)]
    frame = pd.DataFrame(rows, columns=["user_name", "data.cat", "data.dog"])
    frame = frame.assign(classification_id=range(3), extractor="question_extractor", subject_id="7", task="T0")
    table = read(tmp_path, frame.to_csv(index=False), "extracts.csv")
    assert table.rows[["label", "annotator"]].to_numpy().tolist() == [["cat", "anna"], ["dog", "carl"]]
    assert "1 classification(s) without one single answer, left out" in say(table)


def test_numbers_below_zero_and_row_numbers_are_no_counts(tmp_path: Path) -> None:
    table = read(tmp_path, "image,id,cat,dog,longitude\na.jpg,7,2,1,-3\nb.jpg,8,0,3,-4\nc.jpg,9,0,0,-4\n")
    assert count(table) == {("a.jpg", "cat"): 2, ("a.jpg", "dog"): 1, ("b.jpg", "dog"): 3}
    assert "not understood and not used: id, longitude" in say(table)
    assert "1 row(s) have no vote at all and are left out" in say(table)


def test_counts_in_a_column_that_sums_up_the_others_are_no_class(tmp_path: Path) -> None:
    table = read(tmp_path, "image,cat,dog,answers\na.jpg,2,1,3\nb.jpg,0,3,3\nc.jpg,1,1,2\n", form="wide_counts")
    assert set(table.rows["label"]) == {"cat", "dog"}
    assert "not understood and not used: answers" in say(table)


def test_shares_of_a_tie_become_no_more_votes_than_there_are(tmp_path: Path) -> None:
    table = read(tmp_path, "image,cat,dog,eel\na.jpg,0.5,0.5,0\nb.jpg,0.25,0.25,0.5\n", votes_per_image=3)
    assert table.rows.groupby("image")["votes"].sum().to_dict() == {"a.jpg": 3, "b.jpg": 3}
    assert count(table)["b.jpg", "eel"] >= 1


def test_counts_of_an_annotator_a_row_keep_the_annotator(tmp_path: Path) -> None:
    table = read(tmp_path, "image,worker,cat,dog\na.jpg,anna,1,0\na.jpg,ben,0,1\nb.jpg,anna,0,1\n")
    assert table.rows["annotator"].tolist() == ["anna", "ben", "anna"]
    assert table.rows["label"].tolist() == ["cat", "dog", "dog"]


def test_answers_of_annotators_without_an_image_and_other_columns_are_told(tmp_path: Path) -> None:
    table = read(tmp_path, "image,anna,ben,lens\na.jpg,cat,cat,x\n,dog,dog,y\nb.jpg,dog,cat,z\n")
    assert count(table) == {("a.jpg", "cat"): 2, ("b.jpg", "dog"): 1, ("b.jpg", "cat"): 1}
    assert "1 row(s) name no image and are left out with their 2 vote(s)" in say(table)
    assert "column(s) that are not understood and not used: lens" in say(table)
