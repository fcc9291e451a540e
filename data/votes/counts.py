"""What is counted from votes (N, k): soft labels, majorities with their ties, disputed images, class weights."""

import hashlib
from collections.abc import Sequence

import numpy as np


def soft_labels(counts: np.ndarray) -> np.ndarray:
    """(N, k) share of the votes, the paper's l^; zeros where nobody voted."""
    total = counts.sum(1, keepdims=True)
    return counts / np.maximum(total, 1)


def leading(counts: np.ndarray) -> np.ndarray:
    """(N, k) True for each class with most votes: several at a tie, none where nobody voted."""
    most = counts.max(1, keepdims=True)
    return (counts == most) & (most > 0)


def is_tied(counts: np.ndarray) -> np.ndarray:
    """(N,) True where several classes have most votes."""
    return leading(counts).sum(1) > 1


def majority(counts: np.ndarray, images: Sequence[str] | np.ndarray, seed: int) -> np.ndarray:
    """(N,) index of the class with most votes; at a tie one of the leading ones, drawn by image name and seed.

    The one place where ties are broken. Each leading class has the same chance, and the draw is the same wherever the
    image is met in a run: in the split, the class sizes and the metrics of any part. Class 0 where nobody voted.

    Args:
        counts: (N, k) votes.
        images: N names.
        seed: of the run.
    """
    first: np.ndarray = counts.argmax(1)
    leads = leading(counts)
    n_leading = leads.sum(1)
    tied = np.flatnonzero(n_leading > 1)
    draws = np.array([_hash(str(images[row]), seed) for row in tied.tolist()], np.uint64) % n_leading[tied].astype(
        np.uint64
    )
    first[tied] = (leads[tied].cumsum(1, dtype=np.int32) > draws[:, None]).argmax(1)
    return first


def _hash(name: str, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big")


def describe_ties(counts: np.ndarray) -> tuple[str, ...]:
    """How many images are tied, in words; nothing where none is."""
    n = int(is_tied(counts).sum())
    text = (
        f"{n} of {int(is_voted(counts).sum())} images with votes have several classes with most votes; where one class"
        " is needed (split, class sizes, F1), one of these is drawn by seed"
    )
    return (text,) if n else ()


def is_voted(counts: np.ndarray) -> np.ndarray:
    """(N,) True where at least one annotator has judged the image."""
    return counts.sum(1) > 0


def is_ambiguous(counts: np.ndarray) -> np.ndarray:
    """(N,) True where annotators disagree: more than one class has a vote (paper, section 2.1)."""
    return (counts > 0).sum(1) > 1


def ambiguous_share(counts: np.ndarray) -> float:
    """Share of the voted images whose annotators disagree, Table 1's prior ambiguity; 0 to 1."""
    return float(is_ambiguous(counts).sum() / max(int(is_voted(counts).sum()), 1))


def vote_entropy(counts: np.ndarray) -> np.ndarray:
    """(N,) entropy of the soft label in nats: 0 where all agree, ln k where all classes are equally likely."""
    soft = soft_labels(counts)
    return -(soft * np.log(np.where(soft > 0, soft, 1.0))).sum(1)


def class_weights(targets: np.ndarray) -> np.ndarray:
    """(k,) weights n / (k n_c) of the classes in (n, k) one-hot or soft targets; 0 for a class that is absent."""
    sizes = targets.sum(0)
    return np.where(sizes > 0, len(targets) / (targets.shape[1] * np.maximum(sizes, 1e-12)), 0.0)
