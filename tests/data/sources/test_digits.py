"""The embedded data: deterministic, clear digits mostly agreed on, blends mostly disputed."""

import numpy as np

from data.sources.digits import Digits
from data.votes.counts import is_ambiguous, majority
from data.votes.reader import count_votes


def test_digits_are_the_same_every_time() -> None:
    first, second = Digits(), Digits()
    assert first.names() == second.names()
    assert first.votes().equals(second.votes())
    assert first.content(first.names()[-1]) == second.content(second.names()[-1])


def test_blends_are_disputed_and_digits_are_agreed_on() -> None:
    source = Digits()
    names = source.names()
    votes = count_votes(source.votes(), names)
    blend = np.array([name.startswith("blend") for name in names])
    assert blend.sum() == 800
    assert len(names) == 2597
    assert is_ambiguous(votes.counts)[blend].mean() > 0.95
    assert is_ambiguous(votes.counts)[~blend].mean() < 0.25


def test_annotators_answer_with_their_stated_skill() -> None:
    from sklearn.datasets import load_digits

    source = Digits(skill=0.9)
    votes = count_votes(source.votes(), source.names())
    truth = load_digits().target
    right = votes.counts[np.arange(1797), truth].sum() / votes.counts[:1797].sum()
    assert abs(right - 0.91) < 0.01  # skill, and a tenth of the guesses
    assert (majority(votes.counts, source.names(), 0)[:1797] == truth).mean() > 0.99
