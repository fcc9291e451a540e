"""What the data call for, printed before the work that it concerns."""

from collections.abc import Iterable


def print_notice(notice: str) -> None:
    """One notice, at once: a training may take hours from here."""
    print(f"note         {notice}", flush=True)


def print_notices(notices: Iterable[str]) -> None:
    """Each notice on a line of its own."""
    for notice in notices:
        print_notice(notice)
