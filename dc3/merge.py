"""`dc3 merge PROPOSALS VERDICTS...`: votes of before and annotators' answers as the next round's votes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from data.errors import InputError
from data.votes.options import VoteOptions
from dc3.folders import refuse_file_as_folder
from dc3.notices import print_notices

if TYPE_CHECKING:
    from relabel.merge import Merged

FILE = "votes.parquet"


@dataclass(frozen=True)
class MergeArguments:
    """Writes the next round's vote table: the votes of before, and one row for each answer that carries a label."""

    proposals: tyro.conf.Positional[Path]
    """Folder that `dc3 propose` wrote."""
    verdicts: tyro.conf.Positional[tuple[Path, ...]]
    """Verdict tables of `dc3 label-studio pull` and `dc3 review --export`, all of this round."""
    votes: Path
    """The votes that the run was trained on, in any form; it is not changed."""
    output: Path = Path("next")
    """Folder for votes.parquet."""
    drop_bulk: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Leave out labels that a tool copied and no human looked at one by one."""
    replace: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Where an image has new votes, drop those of before."""
    reading: tyro.conf.OmitArgPrefixes[VoteOptions] = field(default_factory=VoteOptions)


def main(argv: list[str]) -> int:
    """Parses, merges, writes, and prints what changed."""
    arguments = tyro.cli(MergeArguments, args=argv, prog="dc3 merge")
    from data.proposals import read_proposal_folder
    from data.verdicts import fit_verdicts, read_verdicts
    from data.votes.ignored import mark_ignored
    from data.votes.reader import fit_votes, read_votes
    from data.votes.rounds import read_round
    from relabel.merge import MergeOptions, describe_round, merge, refuse_strangers, write_merged
    from relabel.merged_already import refuse_known

    path = arguments.output / FILE
    inputs = {arguments.votes.resolve(), *(verdicts.resolve() for verdicts in arguments.verdicts)}
    if not arguments.verdicts:
        raise InputError("Give one or more verdict tables after the folder of proposals.")
    if path.resolve() in inputs:
        raise InputError(f"{path} is one of the tables to merge, and those stay unchanged: give another --output.")
    refuse_file_as_folder(arguments.output)
    bundle = read_proposal_folder(arguments.proposals)
    images, about = list(bundle.proposals["image"]), bundle.about
    # votes may be on images that were not proposed, answers may not
    table = read_votes(arguments.votes, about.classes, arguments.reading)
    votes, notices, _, ignored, _ = fit_votes(table, images, about.classes, all_there=False)
    known = list(dict.fromkeys((*images, *votes["image"])))
    verdicts, more = fit_verdicts(read_verdicts(*arguments.verdicts), "The verdicts", known, about.classes)
    print_notices((*notices, *more, *refuse_strangers(votes, images, arguments.votes.name)))
    described = describe_round(arguments.votes, arguments.verdicts, about)
    if read_round(arguments.votes) is None:
        print_notices(refuse_known(votes, verdicts, about.round))
    merged = merge(votes, verdicts, images, about, MergeOptions(arguments.drop_bulk, arguments.replace))
    write_merged(mark_ignored(merged.votes, ignored), described, path)
    print(f"{path}: round {described.number}, parent run {described.parent_run}")
    _print_changes(merged)
    if len(ignored):
        print(f"{len(ignored)} row(s) of before say 'cannot tell': kept, and no vote")
    print(f"Train on them: dc3 train --source folder --images IMAGES --votes {path}")
    return 0


def _print_changes(merged: "Merged") -> None:
    n_new = len(merged.standing.votes)
    print(f"{merged.n_before} votes of before, {n_new} new ones on {merged.new_images} images")
    for line in merged.standing.describe():
        print(line)
    if merged.lost_classes:
        print(f"no vote is left for {', '.join(merged.lost_classes)}: a model trained on these votes does not know it")
    print(f"{merged.changed_majority} images with votes of before changed their majority")
    print(f"ambiguous share {merged.ambiguous_before:.3f} before, {merged.ambiguous_after:.3f} after")
