"""What a lab has before its first relabelling: a few of the real votes on some of the images."""

import numpy as np
import pandas as pd


def draw_first_votes(votes: pd.DataFrame, n_images: int, n_votes: int, generator: np.random.Generator) -> pd.DataFrame:
    """`n_votes` of the real votes on each of `n_images` random images, drawn without replacement.

    Args:
        votes: columns image, label and optionally votes (a count), as `data.votes.reader.read_votes` gives it.
        n_images: at most as many as there are.

    Returns the drawn votes as a table image, label; an image with fewer votes gives all it has.
    """
    counts = votes["votes"] if "votes" in votes else pd.Series(1, index=votes.index)
    single = votes.loc[votes.index.repeat(counts.astype(int)), ["image", "label"]]
    names = np.sort(single["image"].unique())
    chosen = generator.choice(names, n_images, replace=False)
    single = single[single["image"].isin(chosen)]
    shuffled = single.iloc[generator.permutation(len(single))]
    return shuffled.groupby("image", sort=True).head(n_votes).sort_values(["image", "label"], ignore_index=True)
