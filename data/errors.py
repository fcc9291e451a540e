"""The errors that a user can mend: every one says what must hold, what came and what to do."""

from collections.abc import Sequence


class InputError(ValueError):
    """The user's data or options cannot be used; the message names the items and the remedy."""


def name_some(items: Sequence[object], limit: int = 20) -> str:
    """Lists up to `limit` items, and says how many more there are."""
    shown = ", ".join(str(item) for item in items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit} more"
