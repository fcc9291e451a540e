"""`dc3 votes TABLE...`: votes in any form as one table that every command reads."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from data.errors import InputError
from data.votes.options import VoteOptions
from dc3.folders import refuse_file_as_folder
from dc3.notices import print_notices


@dataclass(frozen=True)
class VotesOptions:
    """Reads votes in any form, says what it understood, and writes them as one row a vote."""

    tables: tyro.conf.Positional[tuple[Path, ...]]
    """Tables (.csv, .tsv, .xlsx, .parquet, .jsonl), exports (Label Studio, CVAT, COCO, Zooniverse) or folders called by
    class; several are joined. docs/votes.md lists the forms."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("votes.parquet")
    """File to write, .parquet or .csv."""
    classes: tuple[str, ...] = ()
    """Class names in order, where the votes have numbers; else a spelling to keep."""
    images_to: Path | None = None
    """Folder for the images that a Hugging Face set carries in its tables."""
    reading: tyro.conf.OmitArgPrefixes[VoteOptions] = field(default_factory=VoteOptions)


def main(argv: list[str]) -> int:
    """Parses, reads, writes, and prints what was read."""
    options = tyro.cli(VotesOptions, args=argv, prog="dc3 votes")
    _check_paths(options)
    from data.votes.rare import settle_rare
    from data.votes.reader import join_votes
    from data.votes.written import summarise_votes, write_images, write_votes

    table = join_votes(options.tables, options.classes, options.reading, numbered=True)
    settled = settle_rare(table.rows, table.ignored, table.source, options.reading)
    print_notices((*table.notices, *settled.notices))
    if options.images_to:
        refuse_file_as_folder(options.images_to, "--images-to")
        print(f"{options.images_to}: {write_images(options.tables, options.images_to)} images")
    write_votes(table._replace(rows=settled.rows, ignored=settled.ignored), options.output)
    print("\n".join(summarise_votes(settled.rows, len(settled.ignored))))
    print(f"\n{options.output}: train on it: dc3 train --images IMAGES --votes {options.output}")
    return 0


def _check_paths(options: VotesOptions) -> None:
    from data.votes.rounds import read_round

    faults = []
    if options.output.suffix.lower() not in (".parquet", ".csv"):
        faults.append(f"--output must end in .parquet or .csv, it is {options.output}")
    if options.output.resolve() in [path.resolve() for path in options.tables]:
        faults.append(f"--output {options.output} is one of the tables read: raw votes are never overwritten")
    for path in options.tables:
        if merged := read_round(path):
            faults.append(f"{path} holds the votes of round {merged.number} as `dc3 merge` wrote them: use it as it is")
    if not options.tables:
        faults.append("at least one table is needed: `dc3 votes votes.csv`")
    if faults:
        raise InputError("; ".join(faults))
    refuse_file_as_folder(options.output.parent)
