"""DCIC's annotations.json: a list of sessions, each with the answers that one annotator gave."""

import pandas as pd

from data.errors import InputError
from data.votes.forms.form import SURE, Answers, Claim, Form, Given
from data.votes.options import VoteOptions


class Dcic(Form):
    """A vote an answer with a class; every one counts, as in that benchmark, also an annotator's second one."""

    meaning = "DCIC annotations.json"

    def recognises(self, given: Given) -> Claim | None:
        sets = given.json
        if not isinstance(sets, list) or not sets or not all(isinstance(one, dict) for one in sets):
            return None
        if not all({"name", "dataset_name", "annotations"} <= set(one) for one in sets):
            return None
        return Claim(SURE + 2, "it is a list of annotation sets with dataset_name and annotations")

    def read(self, given: Given, options: VoteOptions) -> Answers:
        if self.recognises(given) is None:
            raise InputError(f"Vote table {given.path} is no list of DCIC's annotation sets.")
        rows, skipped = [], 0
        try:
            for one in given.json:
                for answer in one["annotations"]:
                    if answer["class_label"] is None:
                        skipped += 1
                        continue
                    moment = _write_time(str(answer.get("created_at") or ""))
                    rows.append((str(answer["image_path"]), str(answer["class_label"]), str(one["name"]), moment))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{given.path} is no whole annotations.json: {error!r} is lacking or wrong.") from error
        if not rows:
            raise InputError(f"{given.path} has no answer with a class.")
        table = pd.DataFrame(rows, columns=["image", "label", "annotator", "created_at"], dtype=object)
        numbers = table.groupby(["image", "annotator"]).cumcount()
        notices = []
        if numbers.any():
            table = table.assign(round=numbers.astype(str))
            notices.append(
                f"{given.path.name}: {int((numbers > 0).sum())} answer(s) are an annotator's second or later one on an"
                " image; each counts, as in that benchmark"
            )
        if skipped:
            notices.append(f"{given.path.name}: {skipped} skipped image(s) that are no votes")
        return Answers(table, tuple(notices))


def _write_time(text: str) -> str:
    """03-02-2021-10-15-00, day first, as 2021-02-03T10:15:00; anything else stays."""
    parts = text.split("-")
    if len(parts) != 6 or not all(part.isdecimal() for part in parts):
        return text
    day, month, year, *clock = parts
    return f"{year}-{month}-{day}T{':'.join(clock)}"
