"""`dc3 data check`: what DC3 understands of images and votes, before any training."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dc3.notices import print_notices
from dc3.options import parse_options
from training.config import Config

if TYPE_CHECKING:
    from relabel.agreement.report_row import Measure
    from training.evaluate.data_facts import DataFacts

CANNOT_TRAIN = 1
"""Exit status where the data were read and cannot be trained on; 2 where they cannot be read at all."""


@dataclass(frozen=True)
class CheckCommand:
    """The options of the training that the data are for, and where to write the page."""

    config: Config
    output: Path = Path("data_check.html")
    """Page to write; what stands there is replaced."""


def main(argv: list[str]) -> int:
    """Checks; the exit status is 0 where the data can be trained on, 1 where not, 2 where they cannot be read."""
    from data.errors import InputError

    if argv[:1] != ["check"] and argv[:1] not in (["-h"], ["--help"]):
        raise InputError("the one command is `dc3 data check`; give it the images and votes of a training.")
    command, _ = parse_options(
        CheckCommand,
        argv[1:] if argv[:1] == ["check"] else argv,
        "data check",
        "Tells what a training with these options would read and use, and writes a page; exit status 0: it can be"
        " trained, 1: it cannot, 2: it cannot be read.",
    )
    return _check(command)


def _check(command: CheckCommand) -> int:
    from relabel.agreement.between_arms import BETWEEN
    from relabel.agreement.raw_votes import gather_raw, measure_raw
    from relabel.agreement.report_row import MeasureOptions
    from training.data_check import check_data, write_data_page
    from training.evaluate.data_facts import describe_facts
    from training.report.data_page import AgreementRow

    checked = check_data(command.config)
    measures = measure_raw(gather_raw(checked.table), MeasureOptions()) if checked.facts.n_votes else ()
    agreement = [measure for measure in measures if measure.section == BETWEEN]
    _print_facts(checked.facts, describe_facts(checked.facts), agreement)
    rows = [AgreementRow(measure.name, *_in_words(measure), measure.note) for measure in agreement]
    write_data_page(checked, rows, f"Data: {command.config.data.images or command.config.data.source}", command.output)
    print(f"page         {command.output}")
    if not checked.facts.faults:
        print("can be trained: yes")
        return 0
    for fault in checked.facts.faults:
        print(f"can be trained: NO: {fault}")
    return CANNOT_TRAIN


def _print_facts(facts: "DataFacts", rows: list[tuple[str, str]], agreement: "list[Measure]") -> None:
    print_notices(facts.notices)
    for line in facts.left_out:
        print(f"left out     {line}")
    for name, value in rows:
        print(f"{name:<38} {value}")
    for measure in agreement:
        value, interval = _in_words(measure)
        text = f"{value}  95 % interval {interval}" if interval else value
        print(f"{measure.name:<38} {text}{f'  ({measure.note})' if measure.note else ''}")
    print(f"\n{'class':<30}{'images':>9}{'votes':>11}{'disputed':>10}{'labelled':>10}")
    for entry in facts.classes:
        sizes = f"{entry.images:>9,}{entry.votes:>11,}{entry.disputed:>10,}{entry.labelled:>10,}"
        print(f"{entry.name[:29]:<30}{sizes}")
    print()


def _in_words(measure: "Measure") -> tuple[str, str]:
    """Value and interval as text; no interval is empty."""
    if measure.is_missing:
        return "not measured", ""
    digits, unit = (1, " %") if measure.unit == "%" else (3, "")
    interval = "" if measure.low != measure.low else f"{measure.low:.{digits}f} to {measure.high:.{digits}f}{unit}"
    return f"{measure.value:.{digits}f}{unit}", interval
