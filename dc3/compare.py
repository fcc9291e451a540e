"""`dc3 compare`: methods and variants side by side in the paper's table."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dc3.notices import print_notice
from dc3.options import parse_options
from training.config import Config
from training.options import CompareOptions

if TYPE_CHECKING:
    from training.report.setup_rows import RunRow


@dataclass(frozen=True)
class CompareArguments:
    """The configuration all runs share, and which runs to make."""

    config: Config
    compare: CompareOptions = field(default_factory=CompareOptions)
    resume: str = ""
    """Id of a comparison that was interrupted; give the same options again, others are refused."""


def main(argv: list[str]) -> int:
    """Trains, prints a line a run and sorting, and the table at the end."""
    arguments, _ = parse_options(CompareArguments, argv, "compare", "Trains methods and variants side by side.")
    from training.comparison import compare

    found = compare(
        arguments.config, arguments.compare, resume=arguments.resume, on_run=_print_row, on_notice=print_notice
    )
    print(f"\n{found.text}\nrun    {found.run_id}\nfiles  {found.files}")
    return 0


def _print_row(progress: str, row: "RunRow") -> None:
    mark = "  degenerate" if row.degenerate else ""
    right, purity = ("?" if share is None else f"{share:.1%}" for share in (row.right, row.purity_left_out))
    print(
        f"{progress:<42} right {right}  F1 {row.f1:.4f}  d {row.d:.4f}  purity {purity}"
        f"  ambiguous {row.ambiguous_share:.2f}{mark}",
        flush=True,
    )
