"""COCO classification: images, categories, and annotations that join them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from data.errors import InputError
from data.tables.columns import find_role
from data.votes.forms.form import SURE, Answers, Claim, Form, Given
from data.votes.options import VoteOptions


class Coco(Form):
    """A vote an annotation of a whole image; those with boxes or outlines tell of parts and are refused."""

    meaning = "COCO classification"

    def recognises(self, given: Given) -> Claim | None:
        if not isinstance(given.json, dict) or not {"images", "annotations", "categories"} <= set(given.json):
            return None
        return Claim(SURE, "it has images, annotations and categories")

    def read(self, given: Given, options: VoteOptions) -> Answers:
        if self.recognises(given) is None:
            raise InputError(f"Vote table {given.path} has not the parts images, annotations, categories of COCO.")
        try:
            images = {image["id"]: str(image["file_name"]) for image in given.json["images"]}
            categories = {category["id"]: str(category["name"]) for category in given.json["categories"]}
            annotations = list(given.json["annotations"])
            shaped = [one for one in annotations if one.get("bbox") or one.get("segmentation")]
            rows = [(images[one["image_id"]], categories[one["category_id"]], _name_person(one)) for one in annotations]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{given.path} is no whole COCO file: {error!r} is lacking or wrong.") from error
        if shaped:
            raise InputError(
                f"{given.path}: {len(shaped)} of {len(annotations)} annotations are boxes or outlines, which tell of"
                " parts of an image; votes are annotations of whole images, without bbox and segmentation."
            )
        if not rows:
            raise InputError(f"{given.path} has no annotation.")
        table = pd.DataFrame(rows, columns=["image", "label", "annotator"], dtype=object)
        return Answers(table if table["annotator"].any() else table.drop(columns="annotator"))


def _name_person(annotation: Mapping[str, Any]) -> str:
    column = find_role("annotator", [name for name in annotation if name not in ("image_id", "category_id", "id")])
    return "" if column is None else str(annotation[column])
