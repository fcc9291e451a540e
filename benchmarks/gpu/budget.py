"""Shares of the time: what is worth most comes first and takes no more than its share, what is left goes on."""

SHARES = {"tests": 0.2, "step": 0.3, "training": 1.0, "features": 0.08}
"""Largest share of the budget for each part, in order of worth; that of what comes after `training` is kept free."""
CLOSING_SHARE = 0.02
"""For the table and the packing of checkpoints."""
CLOSING_S = 4.0
"""At least."""


def part_deadline(part: str, parts: tuple[str, ...], started: float, seconds: float, now: float) -> float:
    """When a part must end, in the clock of `started` and `now` (s).

    Example: of 100 s, training started at 50 with features behind it ends at 100 - 4 - 8 = 88.
    """
    end = started + seconds - max(CLOSING_S, CLOSING_SHARE * seconds)
    order = list(SHARES)
    after = order[order.index("training") + 1 :]
    if part not in after:
        end -= sum(SHARES[name] * seconds for name in after if name in parts)
    return min(now + SHARES[part] * seconds, end)
