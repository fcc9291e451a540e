"""Tables of the texture-shape experiments (Geirhos et al., ICLR 2019): a row a trial, an image named by its trial."""

import re

import pandas as pd

from data.errors import InputError
from data.tables.columns import plain
from data.votes.forms.form import SURE, Answers, Claim, Form, Given
from data.votes.options import VoteOptions

_NEEDED = frozenset({"subj", "trial", "object_response", "category", "imagename"})
_TRIAL = re.compile(r"\d+_[^_]+_[^_]+_.+?_\d\d_(?=[^_])")
"""0001_cue_s01_0_airplane_00_ before the file's name: trial, experiment, subject, condition, category, number."""
_NO_ANSWER = frozenset({"", "na", "nan"})


class Trials(Form):
    """The object_response of each trial; column category is the experiment's truth and no vote."""

    meaning = "trials of an experiment (texture-shape)"

    def recognises(self, given: Given) -> Claim | None:
        if given.rows is None or not {plain(name) for name in given.rows.columns} >= _NEEDED:
            return None
        return Claim(SURE + 1, "it has columns subj, trial, object_response, category and imagename")

    def read(self, given: Given, options: VoteOptions) -> Answers:
        if self.recognises(given) is None or given.rows is None:
            raise InputError(f"Vote table {given.path} lacks one of the columns {', '.join(sorted(_NEEDED))}.")
        rows = given.rows.rename(columns=plain)
        source = given.path.name
        names = rows["imagename"].astype(str)
        plain_names = names.str.replace(_TRIAL, "", n=1, regex=True)
        labels = rows["object_response"].astype(str).str.strip()
        answered = ~labels.str.casefold().isin(_NO_ANSWER)
        columns = {"image": plain_names, "label": labels, "annotator": rows["subj"].astype(str)}
        if "rt" in rows:
            columns["seconds"] = pd.to_numeric(rows["rt"], errors="coerce")
        table = pd.DataFrame(columns)[answered].reset_index(drop=True)
        notices = [f"{source}: object_response is read as the label; category, the truth, is no vote"]
        if n := int((plain_names != names).sum()):
            first = names[plain_names != names].iloc[0]
            notices.append(
                f"{source}: {n} image name(s) begin with their trial, which is taken off: {first} is"
                f" {plain_names[names == first].iloc[0]}"
            )
        if n := int((~answered).sum()):
            notices.append(f"{source}: {n} trial(s) without an answer that are no votes")
        if not len(table):
            raise InputError(f"Vote table {given.path} holds no answer.")
        return Answers(table, tuple(notices))
