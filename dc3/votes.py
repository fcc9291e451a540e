"""`dc3 votes TABLE...`: votes in any form as one table that every command reads."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pandas as pd
import tyro

from data.errors import InputError
from data.tables.columns import IGNORED
from data.votes.forms.given import open_given
from data.votes.forms.hugging_face import images_of
from data.votes.ignored import mark_ignored
from data.votes.options import VoteOptions
from data.votes.rare import settle_rare
from data.votes.reader import VoteTable, join_votes
from data.votes.rounds import read_round
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
    table = join_votes(options.tables, options.classes, options.reading, numbered=True)
    settled = settle_rare(table.rows, table.ignored, table.source, options.reading)
    print_notices((*table.notices, *settled.notices))
    if options.images_to:
        _write_images(options.tables, options.images_to)
    _write(table._replace(rows=settled.rows, ignored=settled.ignored), options.output)
    _print_summary(settled.rows, len(settled.ignored))
    print(f"\n{options.output}: train on it: dc3 train --source folder --images IMAGES --votes {options.output}")
    return 0


def _check_paths(options: VotesOptions) -> None:
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


def _write(table: VoteTable, path: Path) -> None:
    """All rows, those that say 'cannot tell' marked; `path` holds the whole table or what it held before."""
    rows = mark_ignored(table.rows, table.ignored)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    if path.suffix.lower() == ".parquet":
        rows.to_parquet(part, index=False)
    else:
        rows.to_csv(part, index=False)
    part.replace(path)


def _write_images(tables: tuple[Path, ...], folder: Path) -> None:
    """Raises InputError where no table carries images, or one's name leads out of the folder."""
    refuse_file_as_folder(folder, "--images-to")
    images = [image for path in tables for image in images_of(open_given(path))]
    if not images:
        raise InputError("--images-to: none of the tables carries images.")
    root = folder.resolve()
    for name, content in images:
        path = (root / name).resolve()
        if root not in path.parents:
            raise InputError(f"--images-to: the image {name} would lie outside {folder}.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    print(f"{folder}: {len(images)} images")


def _print_summary(rows: pd.DataFrame, n_ignored: int) -> None:
    votes = pd.to_numeric(rows["votes"]) if "votes" in rows else pd.Series(1, rows.index)
    n_images, n_votes = rows["image"].nunique(), int(votes.sum())
    people = rows["annotator"][rows["annotator"] != ""].nunique() if "annotator" in rows else 0
    named = f", {people} annotators" if people else ", annotators not named"
    print(f"{n_images} images, {n_votes} votes, {n_votes / max(n_images, 1):.1f} an image{named}")
    if n_ignored:
        print(f"{n_ignored} row(s) that say 'cannot tell', kept in column {IGNORED}")
    for label, n in votes.groupby(rows["label"]).sum().sort_values(ascending=False).items():
        print(f"  {int(n):>9} {label}")
