"""CVAT for images 1.1 (XML): the tags of whole images."""

from xml.etree.ElementTree import Element

import pandas as pd

from data.errors import InputError
from data.votes.forms.form import SURE, Answers, Claim, Form, Given
from data.votes.options import VoteOptions

_SHAPES = ("box", "polygon", "polyline", "points", "mask", "cuboid", "skeleton", "ellipse")


class Cvat(Form):
    """A vote a tag, by the task's assignee where the file names one; shapes are no votes."""

    meaning = "CVAT for images"

    def recognises(self, given: Given) -> Claim | None:
        if given.xml is None or given.xml.tag != "annotations" or given.xml.find("image") is None:
            return None
        return Claim(SURE, "it is CVAT's XML with images")

    def read(self, given: Given, options: VoteOptions) -> Answers:
        if given.xml is None:
            raise InputError(f"Vote table {given.path} is no XML of CVAT for images.")
        person = _find_person(given.xml)
        rows, n_several, n_shapes = [], 0, 0
        for image in given.xml.iter("image"):
            labels = [tag.get("label", "") for tag in image.findall("tag")]
            n_several += len(labels) > 1
            n_shapes += sum(len(image.findall(shape)) for shape in _SHAPES)
            rows += [(image.get("name", ""), label) for label in labels]
        if not rows:
            raise InputError(
                f"{given.path} has no tag of a whole image{f', but {n_shapes} shape(s)' if n_shapes else ''}: votes are"
                " tags, one for each image."
            )
        table = pd.DataFrame(rows, columns=["image", "label"], dtype=object)
        notices = []
        if person:
            table = table.assign(annotator=person)
            notices.append(f"{given.path.name}: annotator is {person}, to whom the task was given")
        if n_several:
            notices.append(f"{given.path.name}: {n_several} image(s) with several tags: each tag counts as a vote")
            # several tags of one person are no answers that replace each other
            table = table.drop(columns="annotator", errors="ignore")
        if n_shapes:
            notices.append(f"{given.path.name}: {n_shapes} shape(s) (boxes, polygons) that are no votes")
        return Answers(table, tuple(notices))


def _find_person(xml: Element) -> str:
    found = xml.find("./meta/task/assignee/username")
    found = found if found is not None else xml.find("./meta/job/assignee")
    return (found.text or "").strip() if found is not None else ""
