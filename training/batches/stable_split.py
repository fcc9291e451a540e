"""A split that stays: an image's part hangs on its own group and the seed, and on no other image."""

import hashlib
from collections.abc import Sequence

import numpy as np

from data.errors import InputError, name_some
from data.votes.counts import is_voted, majority
from training.batches.split import Split, SplitOptions, check_shares


def split_stably(
    counts: np.ndarray,
    images: Sequence[str],
    keys: np.ndarray,
    classes: tuple[str, ...],
    options: SplitOptions,
    seed: int,
) -> Split:
    """Divides by two numbers in [0, 1) that seed and key draw for each group of images.

    The first number takes the group out of training where it lies below `validation` (or, above that, `test`); the
    second lets its images train with label where it lies below `labelled`. Of those taken out, images with votes are in
    `validation` (`test`) and the others in `waiting`; of those that train, images without votes are in `unlabelled`.

    What is stable, at one seed and the same shares:

    - Votes added, changed or removed, on whatever images: no image goes from training to measuring or back. An
      answered image goes from `unlabelled` to `labelled`, or from `waiting` to `validation`, and no other moves.
    - Images added or removed: no other image changes its part, unless a near duplicate or an image of two groups
      joins groups that were apart: a joined group has the part of one of its members.
    - Images renamed: nothing (the key is made of content or group). Another `test` share: `validation` stays.

    Classes are in proportion only as chance goes: to even them out, an image's part would have to hang on the others'
    votes. A class that the labelled part lacks is refused, one that validation lacks is for `describe_gaps`.

    Args:
        counts: (N, k) votes.
        images: N names, by which ties are broken.
        keys: (N,) as `data.groups.key_images` makes them.

    Raises:
        InputError: shares out of range, or a part or class that came out empty.
    """
    check_shares(options)
    place, choice = (_draw(keys, f"{seed}/{kind}") for kind in ("part", "label"))
    voted = is_voted(counts)
    measures = place < options.validation
    tests = ~measures & (place < options.validation + options.test)
    trains = ~measures & ~tests
    labelled = trains & voted & (choice < options.labelled)
    split = Split(
        *map(np.flatnonzero, (labelled, trains & ~labelled, measures & voted, tests & voted, ~trains & ~voted))
    )
    check_parts(split, counts, images, classes, options, seed)
    return split


def _draw(keys: np.ndarray, salt: str) -> np.ndarray:
    """(N,) numbers in [0, 1), equal for equal keys."""
    names, places = np.unique(keys, return_inverse=True)
    drawn = [hashlib.blake2b(f"{salt}/{name}".encode(), digest_size=6).digest() for name in names.tolist()]
    return np.array([int.from_bytes(each, "big") / 2**48 for each in drawn])[places]


def check_parts(
    split: Split, counts: np.ndarray, images: Sequence[str], classes: tuple[str, ...], options: SplitOptions, seed: int
) -> None:
    """Raises InputError with every part that cannot do its work: nothing to measure with, nothing to learn from."""
    n_voted = int(is_voted(counts).sum())
    labels = majority(counts, images, seed)[split.labelled]
    faults = [
        f"{part} has no image with votes; raise its share, add votes, or take another --seed"
        for part, rows, wanted in (("validation", split.validation, True), ("test", split.test, options.test > 0))
        if wanted and not len(rows)
    ]
    absent = [name for number, name in enumerate(classes) if number not in labels]
    if absent:
        faults.append(
            f"{len(labels)} labelled images of {n_voted} with votes leave no majority for {name_some(absent)}; add"
            " images or votes of these classes, take another --seed, or go on without them: --merge-rare N makes the"
            " classes that lead on fewer than N images one class, --drop-rare N leaves their votes uncounted"
        )
    if not len(split.unlabelled) and not options.reuse_labelled:
        faults.append("no image is left to train without label; add --reuse-labelled, or lower --labelled")
    if faults:
        raise InputError("The split cannot be used:\n- " + "\n- ".join(faults))


def describe_gaps(split: Split, counts: np.ndarray, images: Sequence[str], classes: tuple[str, ...], seed: int) -> str:
    """Classes that no validation image has by majority, in words; empty where there are none."""
    labels = majority(counts, images, seed)[split.validation]
    absent = [name for number, name in enumerate(classes) if number not in labels]
    if not absent:
        return ""
    return (
        f"no validation image is of {name_some(absent)} by majority: the metrics say nothing of these; more images,"
        " another --seed or a split of your own (--split FILE) mend it"
    )
