"""The picture of classes that annotators mix up."""

import numpy as np

from training.report.vote_examples import draw_vote_examples, rank_pairs
from web.canvas import draw_png

COUNTS = np.array([[5, 0, 0], [3, 2, 0], [0, 5, 0], [4, 0, 1], [0, 0, 5], [1, 0, 4], [2, 3, 0]])


def test_the_most_mixed_classes_come_first() -> None:
    assert rank_pairs(COUNTS) == [(0, 1), (0, 2)]
    assert rank_pairs(COUNTS, most=1) == [(0, 1)]
    assert rank_pairs(np.eye(3)) == []


def test_each_cell_holds_its_images() -> None:
    images = np.zeros((7, 8, 8, 3), np.uint8)
    figure = draw_vote_examples(images, COUNTS, ("a", "b", "c"), rank_pairs(COUNTS))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == ["a: all agree\n1 of 1", "split between both\n2 of 2", "b: all agree\n1 of 1"]
    assert titles[3:] == ["a: all agree\n1 of 1", "split between both\n2 of 2", "c: all agree\n1 of 1"]
    assert draw_png(figure).startswith(b"\x89PNG")
