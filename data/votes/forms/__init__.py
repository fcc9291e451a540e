"""The forms in which votes come; a new one is one file and one line here."""

import difflib
from pathlib import Path

from data.errors import InputError
from data.tables.columns import describe_missing
from data.votes.forms.coco import Coco
from data.votes.forms.cvat import Cvat
from data.votes.forms.dcic import Dcic
from data.votes.forms.folders import AnnotatorFolders, ClassFolders, Dc3Folders
from data.votes.forms.form import Answers, Form, Given
from data.votes.forms.given import open_given
from data.votes.forms.hugging_face import HuggingFace
from data.votes.forms.label_arrays import LabelArrays
from data.votes.forms.label_studio import LabelStudio
from data.votes.forms.long import Long
from data.votes.forms.trials import Trials
from data.votes.forms.wide_annotators import WideAnnotators
from data.votes.forms.wide_counts import WideCounts
from data.votes.forms.zooniverse import Zooniverse
from data.votes.options import VoteOptions

FORMS: dict[str, Form] = {
    "long": Long(),
    "wide_counts": WideCounts(),
    "wide_annotators": WideAnnotators(),
    "label_studio": LabelStudio(),
    "cvat": Cvat(),
    "coco": Coco(),
    "zooniverse": Zooniverse(),
    "class_folders": ClassFolders(),
    "annotator_folders": AnnotatorFolders(),
    "dc3_folders": Dc3Folders(),
    "hugging_face": HuggingFace(),
    "dcic": Dcic(),
    "label_arrays": LabelArrays(),
    "trials": Trials(),
}


def read_answers(path: Path, options: VoteOptions) -> Answers:
    """The votes at a path, in whatever form, and a notice that says which unless it is a long table.

    Raises InputError where it is none of the forms, could be two of them, or is not what --form says.
    """
    options.check()
    if options.form and options.form not in FORMS:
        near = difflib.get_close_matches(options.form, FORMS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise InputError(f"--form must be one of {', '.join(FORMS)}; it is {options.form!r}{hint}.")
    given = open_given(path)
    name = options.form or _choose(given)
    answers = FORMS[name].read(given, options)
    if name == "long":
        return answers
    return answers._replace(notices=(f"{path.name}: read as: {FORMS[name].meaning}", *answers.notices))


def _choose(given: Given) -> str:
    claims = {name: claim for name, form in FORMS.items() if (claim := form.recognises(given))}
    if not claims:
        if given.rows is not None:
            raise InputError(describe_missing(given.rows, given.path))
        what = "JSON" if given.json is not None else "XML" if given.xml is not None else "a folder"
        raise InputError(
            f"Vote table {given.path} is {what} of no form that is known ({', '.join(FORMS)}): write one row a vote"
            " with columns image and label, and annotator where you know it; docs/votes.md describes the forms."
        )
    most = max(claim.sureness for claim in claims.values())
    best = {name: claim for name, claim in claims.items() if claim.sureness == most}
    if len(best) > 1:
        shown = "; ".join(f"{name} ({claim.why})" for name, claim in best.items())
        raise InputError(f"Vote table {given.path} could be read in several ways: {shown}. Say which by --form NAME.")
    return next(iter(best))
