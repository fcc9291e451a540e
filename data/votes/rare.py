"""Classes that lead on too few images to be split: merged into one, or their votes left uncounted."""

from typing import NamedTuple

import pandas as pd

from data.errors import InputError, name_some
from data.votes.options import VoteOptions

RARE = "rare"
"""What merged classes are called."""


class Settled(NamedTuple):
    """Votes after rare classes were treated."""

    rows: pd.DataFrame
    ignored: pd.DataFrame
    notices: tuple[str, ...]


def settle_rare(rows: pd.DataFrame, ignored: pd.DataFrame, source: str, options: VoteOptions) -> Settled:
    """Merges or drops the classes that lead on fewer images than the options say; one pass over the votes as they are.

    A class leads where it alone has most votes, so that a tie, drawn another way by another seed, makes none rare or
    not. The same votes give the same classes again.

    Raises:
        InputError: no two classes would be left, or a class has the name of the merged ones.
    """
    least = options.merge_rare or options.drop_rare
    if not least:
        return Settled(rows, ignored, ())
    sizes = count_led(rows)
    rare = {name: n for name, n in sizes.items() if n < least and name != RARE}
    if not rare:
        return Settled(rows, ignored, ())
    shown = name_some([f"{name} ({n})" for name, n in sorted(rare.items())])
    mask = rows["label"].isin(list(rare))
    if len(sizes) - len(rare) + bool(options.merge_rare) < 2:
        raise InputError(
            f"{source}: fewer than two classes would be left of {name_some(sorted(sizes))}, as {shown} lead on fewer"
            f" than {least} images: give a smaller number."
        )
    if options.merge_rare:
        text = f"{source}: classes that lead on fewer than {least} images are merged as `{RARE}`: {shown}"
        return Settled(rows.assign(label=rows["label"].mask(mask, RARE)), ignored, (text,))
    text = f"{source}: votes for classes that lead on fewer than {least} images count as 'cannot tell': {shown}"
    kept = [ignored, rows[mask]] if len(ignored) else [rows[mask]]
    return Settled(rows[~mask].reset_index(drop=True), pd.concat(kept, ignore_index=True), (text,))


def count_led(rows: pd.DataFrame) -> dict[str, int]:
    """Class -> images on which it alone has most votes.

    Example: votes a a b on one image and a b on another: a leads on 1, b on 0.
    """
    votes = pd.to_numeric(rows["votes"]) if "votes" in rows else pd.Series(1, rows.index)
    counts = votes.groupby([rows["image"], rows["label"]], sort=False).sum().reset_index(name="n")
    most = counts.groupby("image", sort=False)["n"].transform("max")
    first = counts[counts["n"] == most]
    alone = first[~first["image"].duplicated(keep=False)]
    led = alone["label"].value_counts()
    return {str(name): int(led.get(name, 0)) for name in sorted(rows["label"].unique())}
