"""Every figure of a run, on the inputs that a small lab brings."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.clusters import list_clusters
from data.errors import InputError
from data.predictions import Predictions
from training.evaluate.metrics import trust_metrics
from training.report.ambiguity_histogram import draw_ambiguity_histogram
from training.report.confidence_grid import draw_confidence_grid, list_bands
from training.report.confusion import count_confusions, draw_confusion
from training.report.contact_sheets import draw_class_sheets, draw_cluster_sheets, draw_contact_sheets
from training.report.embedding_map import draw_embedding_map
from training.report.figures import CAPTIONS, explain, run_figures
from training.report.projection import project
from training.report.thumbnails import draw_vote_bar, tile
from web.canvas import draw_png, plain, save

Make = Callable[..., tuple[Predictions, np.ndarray]]
ONE_RUN = ["ambiguity_histogram", "confusion", "confusion_certain", "confidence_grid", "embedding_map", "clusters_1"]
CASES: dict[str, tuple[dict[str, object], bool, list[str]]] = {
    "usual": ({}, True, ONE_RUN),
    "twenty images, two classes": ({"n": 20, "k": 2, "n_clusters": 4}, True, ONE_RUN),
    "one cluster": ({"n_clusters": 1}, True, ONE_RUN),
    "none ambiguous": ({"ambiguity": 0.1}, True, [*ONE_RUN[:2], *ONE_RUN[3:5]]),
    "all ambiguous": ({"ambiguity": 0.9}, True, [*ONE_RUN[:2], *ONE_RUN[3:]]),
    "variant without ambiguity": ({"ambiguity": 0.0}, False, [ONE_RUN[1], *ONE_RUN[3:5], "classes_1"]),
    "one image": ({"n": 1, "k": 2, "n_clusters": 2, "ambiguity": 0.9}, True, [*ONE_RUN[:2], *ONE_RUN[3:]]),
    "names that are markup": ({"names": ("$x", r"$\foo$ & <b>", "very long " * 9)}, True, ONE_RUN),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_every_defined_figure_is_drawn_and_nothing_else(case: str, make_predictions: Make) -> None:
    options, ambiguity_aware, expected = CASES[case]
    names = []
    for name, figure in run_figures(*make_predictions(**options), ambiguity_aware):
        figure.set_dpi(25)
        figure.canvas.draw()
        assert np.asarray(figure.canvas.buffer_rgba())[..., :3].std() > 1, f"{name} is blank"
        assert explain(name).startswith(CAPTIONS[name.removesuffix("_1")])
        names.append(name)
    assert names == expected


def test_images_without_votes_are_refused(make_predictions: Make) -> None:
    predictions, images = make_predictions()
    with pytest.raises(InputError, match="images with votes"):
        next(run_figures(predictions._replace(votes=0 * predictions.votes), images, True))
    with pytest.raises(InputError, match="one that has images"):
        next(run_figures(predictions.select(np.arange(0)), images[:0], True))


def test_contact_sheet_shows_typical_images_first_and_caps_their_number(make_predictions: Make) -> None:
    """All embeddings equal but one: the odd image stands last, and beyond the cap it is not shown."""
    predictions, images = make_predictions(12, 2, 1, ambiguity=0.9)
    embedding = np.zeros_like(predictions.embedding)
    embedding[0] = 9
    images[:] = 128
    images[0] = (255, 0, 0)
    typical = predictions._replace(embedding=embedding)

    def shown(row: slice) -> np.ndarray:
        (figure,) = draw_cluster_sheets(typical.select(np.arange(12)[row]), images[row])
        return np.asarray(figure.axes[1].images[0].get_array())[40]

    assert (shown(slice(0, 9))[-48] == (255, 0, 0)).all()
    assert (shown(slice(0, 12))[-48] == 128).all()


def test_contact_sheet_shows_the_votes_of_the_cluster(make_predictions: Make) -> None:
    predictions, images = make_predictions(4, 2, 1, ambiguity=0.9, names=("cat", "dog"))
    votes = np.array([[4, 0], [4, 0], [4, 0], [0, 4]])
    (figure,) = draw_cluster_sheets(predictions._replace(votes=votes), images)
    assert [text.get_text() for text in figure.axes[0].texts] == ["cat", "75%", "dog", "25%"]
    texts = [text.get_text() for text in figure.texts]
    # distances to the mean (3/4, 1/4): three times sqrt(1/8), once sqrt(9/8)
    assert any("4 image(s)" in text and "d = 0.53" in text for text in texts)


def test_many_clusters_make_pages_and_say_what_is_left_out(make_predictions: Make) -> None:
    predictions, images = make_predictions(7, 2, 7, ambiguity=0.9)
    clusters = list_clusters(predictions._replace(clusters=np.eye(7, dtype=np.float32)))
    pages = draw_contact_sheets(predictions, images, clusters, "All", per_page=2, per_cluster=1, max_pages=2)
    assert [page.texts[0].get_text() for page in pages] == [
        "All, page 1 of 4",
        "All, page 2 of 4; 3 smaller ones are not shown",
    ]


def test_class_sheets_group_by_predicted_class_largest_first(make_predictions: Make) -> None:
    predictions, images = make_predictions(5, 2, 2, names=("cat", "dog"))
    classes = np.eye(2, dtype=np.float32)[[1, 1, 0, 1, 0]]
    (figure,) = draw_class_sheets(predictions._replace(classes=classes), images)
    texts = [text.get_text() for text in figure.texts[2:]]
    assert texts[::2] == ["dog", "cat"]
    assert "3 image(s)" in texts[1]


def test_bands_of_confidence_hold_each_image_once(make_predictions: Make) -> None:
    predictions, _ = make_predictions(200)
    confident_certain, confident_ambiguous, rest = list_bands(predictions, True)
    total = confident_certain.members.astype(int) + confident_ambiguous.members + rest.members
    assert (total == 1).all()
    assert (predictions.ambiguity[confident_certain.members] <= 0.4).all()
    assert (predictions.ambiguity[confident_ambiguous.members] >= 0.6).all()
    assert (predictions.classes[~rest.members].max(1) >= 0.9).all()


def test_grid_frames_wrong_images_red_and_names_the_mistake(make_predictions: Make) -> None:
    predictions, images = make_predictions(2, 2, 2, ambiguity=0.0, names=("cat", "dog"))
    predictions = predictions._replace(
        classes=np.array([[0.99, 0.01], [0.99, 0.01]], np.float32), votes=np.array([[3, 0], [0, 3]])
    )
    figure = draw_confidence_grid(predictions, images, True)
    right, wrong = (np.asarray(axes.images[0].get_array())[1, 1] for axes in figure.axes[:2])
    assert wrong[0] > 200 > 60 > wrong[1]
    assert not (right == wrong).all()
    assert "cat" in [text.get_text() for text in figure.axes[1].texts]


def test_grid_is_the_same_for_the_same_seed(make_predictions: Make) -> None:
    predictions, images = make_predictions(100, 2)

    def pick(seed: int) -> np.ndarray:
        return np.array(
            [axes.images[0].get_array() for axes in draw_confidence_grid(predictions, images, True, seed).axes]
        )

    assert np.array_equal(pick(1), pick(1))
    assert not np.array_equal(pick(1), pick(2))


@pytest.mark.parametrize("k", [2, 10, 20])
def test_confusion_counts_are_written_in_and_readable(k: int, make_predictions: Make) -> None:
    predictions, _ = make_predictions(200, k)
    figure = draw_confusion(predictions, "all")
    counts = count_confusions(predictions.labels, predictions.classes.argmax(1), k)
    texts = figure.axes[0].texts
    assert sorted(int(text.get_text()) for text in texts) == sorted(counts[counts > 0])
    figure.canvas.draw()
    field = figure.axes[0].transData.transform([(0, 0), (1, 1)])
    assert max(text.get_window_extent().width for text in texts) < abs(field[1] - field[0]).min()


def test_confusion_rows_are_the_truth() -> None:
    assert count_confusions(np.array([0, 0, 1]), np.array([1, 1, 1]), 2).tolist() == [[0, 2], [0, 1]]


def test_histogram_bars_of_each_group_sum_to_100_percent_and_the_auroc_is_named(make_predictions: Make) -> None:
    predictions, _ = make_predictions(100)
    axes = draw_ambiguity_histogram(predictions).axes[0]
    assert sum(bar.get_height() for bar in axes.containers[0]) == pytest.approx(100)
    auroc = dict(trust_metrics(predictions.ambiguity, predictions.votes))["ambiguity_auroc"]
    assert f"AUROC {auroc:.3f}" in axes.get_title()
    alike = predictions._replace(votes=np.eye(3, dtype=np.int64)[predictions.votes.argmax(1)])
    assert "undefined" in draw_ambiguity_histogram(alike).axes[0].get_title()


def test_tsne_is_seeded_and_separates_two_heaps() -> None:
    generator = np.random.default_rng(0)
    embedding = generator.normal(size=(40, 6)) + np.repeat([[0.0], [30.0]], 20, axis=0)
    points = project(embedding, 3)
    assert np.array_equal(points, project(embedding, 3))
    centres = points[:20].mean(0), points[20:].mean(0)
    assert np.linalg.norm(centres[0] - centres[1]) > points[:20].std() + points[20:].std()


@pytest.mark.parametrize("embedding", [np.ones((7, 3)), np.zeros((1, 1)), np.arange(3.0)[:, None]])
def test_too_few_different_embeddings_are_still_shown(embedding: np.ndarray) -> None:
    points = project(embedding, 0)
    assert points.shape == (len(embedding), 2)
    assert np.isfinite(points).all()


def test_map_draws_at_most_1500_images_and_falls_back_without_ambiguity(
    monkeypatch: pytest.MonkeyPatch, make_predictions: Make
) -> None:
    monkeypatch.setattr("training.report.embedding_map.project", lambda embedding, seed: embedding[:, :2])
    predictions, _ = make_predictions(1600, ambiguity=0.0)
    figure = draw_embedding_map(predictions, False)
    assert sum(len(part.get_offsets()) for part in figure.axes[0].collections) == 1500
    assert "wrong classes" in figure.axes[2].get_title()
    assert "clusters" in draw_embedding_map(predictions, True).axes[2].get_title()


def test_a_name_is_shown_literally_on_one_line() -> None:
    assert plain("a\nb  $c") == r"a b \$c"
    assert plain("species number 12", 16) == "species nu…er 12"


def test_save_writes_a_png(tmp_path: Path, make_predictions: Make) -> None:
    predictions, _ = make_predictions()
    save(draw_confusion(predictions, "all"), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.format == "PNG"


def test_a_character_without_a_font_does_not_lose_the_figure(make_predictions: Make) -> None:
    predictions, _ = make_predictions(names=("\U00013000", "犬", "b"))
    assert draw_png(draw_confusion(predictions, "all"), 30)


def test_map_numbers_the_clusters_of_ambiguous_images_only(make_predictions: Make) -> None:
    predictions, _ = make_predictions(20, 2, 20, ambiguity=0.9)
    clusters = np.eye(20, dtype=np.float32)[np.repeat([3, 11], 10)]
    embedding = predictions.embedding + np.repeat([[0.0], [50.0]], 10, axis=0)
    grouped = predictions._replace(clusters=clusters, embedding=embedding)
    figure = draw_embedding_map(grouped, True)
    assert sorted(text.get_text() for text in figure.axes[2].texts) == ["11", "3"]
    certain = grouped._replace(ambiguity=np.repeat([0.1, 0.9], 10))
    assert [text.get_text() for text in draw_embedding_map(certain, True).axes[2].texts] == ["11"]


def test_thumbnails_are_tiled_in_reading_order() -> None:
    sheet = tile([np.full((4, 4, 3), value, np.uint8) for value in (1, 2, 3)], columns=2, rows=2)
    corners = [sheet[row, column, 0] for row in (0, -1) for column in (0, -1)]
    assert corners == [1, 2, 3, 255]


def test_vote_bar_gives_each_class_its_share() -> None:
    bar = draw_vote_bar(np.array([0.25, 0, 0.75]), [(1, 0, 0), (0, 1, 0), (0, 0, 1)], width=8, height=1)
    assert bar[0].argmax(1).tolist() == [0, 0, 2, 2, 2, 2, 2, 2]
