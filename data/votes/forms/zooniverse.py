"""Zooniverse: the project's classification export (JSON in its cells), and extracts of its questions."""

import json
from typing import Any

import pandas as pd

from data.errors import InputError, name_some
from data.tables.columns import find_role, looks_like_file
from data.votes.forms.form import SURE, Answers, Claim, Form, Given
from data.votes.forms.wide import refuse_empty
from data.votes.options import VoteOptions

_PREFIX = "data."


class Zooniverse(Form):
    """A vote an answer to the one question that the classifications answer."""

    meaning = "Zooniverse classifications"

    def recognises(self, given: Given) -> Claim | None:
        if given.rows is None or "classification_id" not in given.rows:
            return None
        if {"annotations", "subject_data"} <= set(given.rows.columns):
            return Claim(SURE + 1, "it has Zooniverse's columns annotations and subject_data")
        if {"extractor", "subject_id"} <= set(given.rows.columns):
            return Claim(SURE + 1, "it has the columns of Zooniverse's extracts")
        return None

    def read(self, given: Given, options: VoteOptions) -> Answers:
        if self.recognises(given) is None or given.rows is None:
            raise InputError(
                f"Vote table {given.path} has not the columns classification_id, and annotations with subject_data or"
                " extractor with subject_id, of Zooniverse."
            )
        answers = _read_export(given) if "annotations" in given.rows else _read_extracts(given)
        refuse_empty(answers.rows, given.path)
        return answers


def _person(rows: pd.DataFrame) -> pd.Series:
    return rows["user_name"].astype(str) if "user_name" in rows else pd.Series("", rows.index)


def _read_export(given: Given) -> Answers:
    rows = given.rows
    assert rows is not None
    source = given.path.name
    found, tasks, left = [], set(), 0
    people = _person(rows)
    times = rows["created_at"].astype(str) if "created_at" in rows else pd.Series("", rows.index)
    for place, cells in rows.iterrows():
        answers, subject = _load(cells["annotations"], given, place), _load(cells["subject_data"], given, place)
        single = [one for one in answers if isinstance(one, dict) and isinstance(one.get("value"), str)]
        if len(single) != 1 or not isinstance(subject, dict):
            left += 1
            continue
        tasks.add(str(single[0].get("task", "")))
        found.append((_name_image(subject), single[0]["value"], people[place], times[place]))
    if len(tasks) > 1:
        raise InputError(
            f"{given.path} has answers to several questions, {name_some(sorted(tasks))}: keep the rows of one, whose"
            " answers are the classes."
        )
    notices = (f"{source}: {left} classification(s) without one single answer, left out",) if left else ()
    return Answers(pd.DataFrame(found, columns=["image", "label", "annotator", "created_at"], dtype=object), notices)


def _load(cell: object, given: Given, place: Any) -> Any:
    try:
        return json.loads(str(cell))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{given.path}: row {place + 1} holds no valid JSON ({error}).") from error


def _name_image(subject: dict[str, Any]) -> str:
    """The file's name in a subject's facts, whatever the project called it; else the subject's number."""
    number, facts = next(iter(subject.items()), ("", {}))
    if not isinstance(facts, dict):
        return str(number)
    texts = {name.strip("#!/ "): str(value) for name, value in facts.items() if isinstance(value, str)}
    files = [name for name in texts if looks_like_file(pd.Series([texts[name]]))]
    column = find_role("image", [name for name in files if name.casefold() != "id"]) or (files[0] if files else None)
    return texts[column] if column else str(number)


def _read_extracts(given: Given) -> Answers:
    rows = given.rows
    assert rows is not None
    source = given.path.name
    answers = [name for name in rows.columns if name.startswith(_PREFIX) and name != "data.aggregation_version"]
    if "task" in rows and rows["task"].nunique() > 1:
        tasks = name_some(sorted(rows["task"].unique()))
        raise InputError(f"{given.path} has answers to several tasks, {tasks}: keep the rows of one.")
    answered = rows[answers].apply(pd.to_numeric, errors="coerce").fillna(0) > 0
    one = answered.sum(axis=1) == 1
    label = answered[one].idxmax(axis=1).str.removeprefix(_PREFIX) if one.any() else pd.Series(dtype=object)
    table = pd.DataFrame(
        {"image": rows.loc[one, "subject_id"].astype(str), "label": label, "annotator": _person(rows)[one]}
    )
    if "created_at" in rows:
        table["created_at"] = rows.loc[one, "created_at"].astype(str)
    notices = [f"{source}: images are named by subject_id, extracts have no file names"]
    if left := int((~one).sum()):
        notices.append(f"{source}: {left} classification(s) without one single answer, left out")
    return Answers(table.reset_index(drop=True).astype(object), tuple(notices))
