"""Label Studio's exports: JSON (tasks with annotations), JSON-MIN and CSV (a row an annotation)."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from data.errors import InputError, name_some
from data.tables.columns import find_role, looks_like_file
from data.votes.forms.form import SURE, Answers, Claim, Form, Given
from data.votes.forms.wide import refuse_empty
from data.votes.options import VoteOptions

_OWN = frozenset({"annotation_id", "annotator", "created_at", "updated_at", "lead_time", "id", "agreement"})
"""Columns that Label Studio writes itself."""


class LabelStudio(Form):
    """The choices that annotators made; predictions and skipped tasks are no votes."""

    meaning = "Label Studio export"

    def recognises(self, given: Given) -> Claim | None:
        if given.rows is not None and {"annotation_id", "lead_time"} <= set(given.rows.columns):
            return Claim(SURE + 1, "it has Label Studio's columns annotation_id and lead_time")
        if isinstance(given.json, list) and given.json and all(_is_task(task) for task in given.json):
            return Claim(SURE + 1, "it is a list of tasks with data and annotations")
        return None

    def read(self, given: Given, options: VoteOptions) -> Answers:
        if given.rows is not None:
            return _read_rows(given)
        if not isinstance(given.json, list) or not all(_is_task(task) for task in given.json):
            raise InputError(f"Vote table {given.path} is no list of Label Studio's tasks.")
        left: dict[str, int] = {}
        rows = pd.DataFrame(list(_list_votes(given.json, left)), columns=_COLUMNS, dtype=object)
        refuse_empty(rows, given.path)
        rows = rows.assign(seconds=pd.to_numeric(rows["seconds"], errors="coerce"))
        return Answers(rows, tuple(f"{given.path.name}: {n} {what}" for what, n in left.items()))


_COLUMNS = ["image", "label", "annotator", "seconds", "updated_at"]


def _is_task(task: object) -> bool:
    return isinstance(task, dict) and isinstance(task.get("data"), dict) and _answers(task) is not None


def _answers(task: Mapping[str, Any]) -> list[Any] | None:
    """Its annotations; exports of before 1.0 call them completions."""
    found = task.get("annotations", task.get("completions"))
    return found if isinstance(found, list) else None


def _list_votes(tasks: list[Any], left: dict[str, int]) -> Iterator[list[object]]:
    def leave(what: str) -> None:
        left[what] = left.get(what, 0) + 1

    for task in tasks:
        image = _name_image(task["data"])
        for answer in _answers(task) or ():
            if not isinstance(answer, dict) or answer.get("was_cancelled") or answer.get("skipped"):
                leave("skipped task(s) that are no votes")
                continue
            results = [result for result in answer.get("result") or () if _choices(result)]
            given = [choice for result in results for choice in _choices(result)]
            if len(given) != 1:
                what = "annotation(s) without a choice" if not given else "annotation(s) with several choices"
                leave(f"{what} that are no votes")
                continue
            yield [
                image,
                given[0],
                _name_person(answer.get("completed_by")),
                answer.get("lead_time"),
                str(answer.get("updated_at") or answer.get("created_at") or ""),
            ]


def _choices(result: object) -> list[str]:
    value = result.get("value") if isinstance(result, dict) else None
    found = value.get("choices") if isinstance(value, dict) else None
    return [str(choice) for choice in found] if isinstance(found, list) else []


def _name_person(who: object) -> str:
    """A number, or a record with the address."""
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    return "" if who is None else str(who)


def _name_image(data: Mapping[str, Any]) -> str:
    texts = {name: value for name, value in data.items() if isinstance(value, str)}
    column = find_role("image", [name for name in texts if name != "id"])
    if column is None:
        column = next((name for name in texts if looks_like_file(pd.Series([texts[name]]))), None)
    if column is None:
        raise InputError(f"A task of the Label Studio export names no image; its data are {name_some(sorted(data))}.")
    return texts[column]


def _read_rows(given: Given) -> Answers:
    assert given.rows is not None
    rows = given.rows
    free = [str(name) for name in rows.columns if str(name) and name not in _OWN]
    image = find_role("image", free) or next((name for name in free if looks_like_file(rows[name])), None)
    label = find_role("label", [name for name in free if name != image])
    rest = [name for name in free if name not in (image, label)]
    if label is None and len(rest) == 1:
        label, rest = rest[0], []
    if image is None or label is None:
        raise InputError(
            f"{given.path}: the Label Studio export has columns {name_some(free)} beside its own; name the image's"
            " `image` and that of the answers `choice`, the names of the tags in the labelling configuration."
        )
    texts = rows[label].astype(str).str.strip()
    taken = (texts != "") & ~texts.str.startswith(("{", "["))
    columns = {"image": rows[image].astype(str), "label": texts}
    for name, source in (("annotator", "annotator"), ("updated_at", "updated_at"), ("created_at", "created_at")):
        if source in rows:
            columns[name] = rows[source].astype(str)
    if "lead_time" in rows:
        columns["seconds"] = pd.to_numeric(rows["lead_time"], errors="coerce")
    table = pd.DataFrame(columns)[taken].reset_index(drop=True)
    refuse_empty(table, given.path)
    notices = [f"{given.path.name}: {image} is read as the image, {label} as the label"]
    if n := int((~taken).sum()):
        notices.append(f"{given.path.name}: {n} annotation(s) without a choice, or with several, that are no votes")
    if rest:
        notices.append(f"{given.path.name}: column(s) that are not understood and not used: {name_some(rest)}")
    return Answers(table, (*(given.cells.notices if given.cells else ()), *notices))
