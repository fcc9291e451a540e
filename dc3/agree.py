"""`dc3 agree TABLES...`: agreement of raw votes; of verdicts also time, and what the proposals did to both."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from data.errors import InputError, name_some
from data.votes.options import VoteOptions
from dc3.folders import refuse_file_as_folder
from dc3.notices import print_notices
from relabel.agreement.report_row import Measure, MeasureOptions

if TYPE_CHECKING:
    import pandas as pd

    from relabel.agreement.evidence import Evidence
    from relabel.agreement.report import Picture

CSV, TEXT, PAGE = "agreement.csv", "agreement.txt", "agreement.html"


@dataclass(frozen=True)
class AgreeOptions:
    """Measures the agreement of raw votes, or of verdicts with times and the proposals' effect.

    What cannot be measured is named.
    """

    tables: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Verdict tables of `dc3 label-studio pull` or review, .csv or .parquet; rounds and tools are joined. Or a table of
    raw votes, before any proposal: the same as --votes alone."""
    votes: Path | None = None
    """Raw votes of before, given without proposals: measured beside the arms, and they tell the bias d."""
    truth: Path | None = None
    """Table of image and label that is right, for the harm rate; without it the majority of --votes is taken."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("agreement")
    """Folder for agreement.txt, .csv and .html, and the pictures as PNG."""
    reading: tyro.conf.OmitArgPrefixes[VoteOptions] = field(default_factory=VoteOptions)
    measuring: tyro.conf.OmitArgPrefixes[MeasureOptions] = field(default_factory=MeasureOptions)


def main(argv: list[str]) -> int:
    """Parses, measures, writes, and prints the table."""
    options = tyro.cli(AgreeOptions, args=argv, prog="dc3 agree")
    from data.names.fit import describe_alike
    from data.verdicts import fit_verdicts, is_verdict_table, read_verdicts
    from relabel.agreement.evidence import describe_strange_classes, gather_evidence

    options.measuring.check()
    refuse_file_as_folder(options.output)
    raw = [path for path in options.tables if not is_verdict_table(path)]
    if raw or not options.tables:
        print(_measure_votes(options, raw))
        return 0
    verdicts, notices = fit_verdicts(read_verdicts(*options.tables), "The verdicts")
    print_notices((*notices, *describe_alike(verdicts["image"], "The verdicts")))
    votes = _read_on(options.votes, verdicts, options.reading) if options.votes else None
    truth = _read_on(options.truth, verdicts, VoteOptions()) if options.truth else None
    for path, rows in ((options.votes, votes), (options.truth, truth)):
        if path and rows is not None:
            print_notices(describe_strange_classes(rows, verdicts, path.name))
    evidence = gather_evidence(verdicts, votes, truth)
    print(_report_verdicts(evidence, options))
    print(f"\n{options.output}: {PAGE} with pictures, {CSV}, {TEXT}")
    return 0


def _measure_votes(options: AgreeOptions, raw: list[Path]) -> str:
    """The report of raw votes alone.

    Raises InputError where there are none, several tables, or verdicts beside them.
    """
    from data.votes.reader import read_votes
    from relabel.agreement.raw_votes import MEANINGS, TITLE, gather_raw, measure_raw
    from relabel.agreement.report import format_table, render_page

    given = [*raw, *([options.votes] if options.votes else [])]
    if len(given) != 1 or len(raw) < len(options.tables):
        raise InputError(
            "dc3 agree takes verdict tables (of `dc3 label-studio pull` or the review page), with --votes for the raw"
            f" votes of before, or one table of raw votes alone; raw votes given: {len(given)}"
            f"{', ' + name_some(list(map(str, given))) if given else ''}."
        )
    if options.truth:
        raise InputError("--truth is for verdicts: raw votes alone are measured against each other.")
    table = read_votes(given[0], (), options.reading)
    print_notices(table.notices)
    votes = gather_raw(table.rows)
    measures, summary = list(measure_raw(votes, options.measuring)), votes.describe(options.measuring)
    page = render_page(measures, summary, [], TITLE, MEANINGS)
    text = format_table(measures, summary)
    _write(text, page, measures, [], options.output)
    return f"{text}\n\n{options.output}: {PAGE}, {CSV}, {TEXT}"


def _read_on(path: Path, verdicts: "pd.DataFrame", reading: VoteOptions) -> "pd.DataFrame":
    """A vote table under the names that images and classes have in the verdicts; it may have other images as well.

    Raises InputError where it has none of the images that were judged.
    """
    from data.names.matching import describe_unknown
    from data.votes.reader import fit_votes, read_votes

    images = sorted(verdicts["image"].unique())
    classes = sorted({*verdicts["label"], *verdicts["proposal"]} - {""})
    rows, notices, *_ = fit_votes(read_votes(path, classes, reading), images, classes, all_there=False)
    print_notices(notices)
    if not rows["image"].isin(images).any():
        names = list(rows["image"].unique())
        raise InputError(
            f"{path} has none of the {len(images)} images that were judged, but {describe_unknown(names, images, 3)}."
            " Name the images as the verdicts do."
        )
    return rows


def _report_verdicts(evidence: "Evidence", options: AgreeOptions) -> str:
    """Writes all forms of the report and returns the text."""
    from relabel.agreement.all_measures import measure_all
    from relabel.agreement.figures import CAPTIONS, agreement_figures
    from relabel.agreement.report import Picture, describe, format_table, render_page
    from relabel.agreement.timing import take_times
    from web.canvas import draw_png

    times = take_times(evidence, options.measuring)
    measures = list(measure_all(evidence, times, options.measuring))
    summary = describe(evidence, times, options.measuring)
    figures = agreement_figures(evidence, times, measures)
    pictures = [Picture(name, CAPTIONS[name], draw_png(figure)) for name, figure in figures]
    text = format_table(measures, summary)
    _write(text, render_page(measures, summary, pictures), measures, pictures, options.output)
    return text


def _write(text: str, page: str, measures: list[Measure], pictures: "list[Picture]", folder: Path) -> None:
    """Each file holds all of the report or what it held before."""
    from relabel.agreement.figures import CAPTIONS
    from relabel.agreement.report import write_csv

    folder.mkdir(parents=True, exist_ok=True)
    # pictures of an earlier report would pass for this one's
    for name in CAPTIONS:
        (folder / f"{name}.png").unlink(missing_ok=True)
    for picture in pictures:
        (folder / f"{picture.name}.png").write_bytes(picture.png)
    part = folder / ".part"
    for name, content in ((TEXT, text + "\n"), (PAGE, page)):
        part.write_text(content, encoding="utf-8")
        part.replace(folder / name)
    write_csv(measures, part)
    part.replace(folder / CSV)
