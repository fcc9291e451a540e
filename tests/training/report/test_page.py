"""The run's page and the model card."""

import base64
import io
import re
from html.parser import HTMLParser

from PIL import Image

from training.report.model_card import CardFacts, write_model_card
from training.report.page import PageFigure, render_page

FACTS = CardFacts(
    name="fixmatch dc3",
    run_id="abc",
    source="folder /data",
    fingerprint="f00",
    class_sizes={"cat": 3, "<script>": 2, "a`b": 1},
    n_votes=50,
    ambiguous_share=0.325,
    part_sizes={"labelled": 2, "validation": 4},
    method="fixmatch",
    variant="dc3",
    options={"prior": 0.6},
    metrics={"f1": 0.81234, "degenerate": 0.0, "test_f1": 0.75},
    notices=("2 of 6 images with votes have several classes with most votes", "a`b"),
)


def draw_blank() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 35)).save(buffer, "PNG")
    return buffer.getvalue()


class Reader(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def read(page: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = Reader()
    reader.feed(page)
    return reader.tags


def make_page() -> tuple[str, list[PageFigure]]:
    figures = [PageFigure(name, f"Shows {name} of <b>", draw_blank()) for name in ("one", "two")]
    page = render_page(
        "<script>alert(1)</script>",
        {"class <i>": "<u>"},
        [("f1", 0.8), ("own", 1.0), ("test_f1", 0.7)],
        ["Right proposals: 40 % <b>"],
        figures,
        write_model_card(FACTS),
    )
    return page, figures


def test_page_holds_every_figure_with_alternative_text_and_nothing_external() -> None:
    page, figures = make_page()
    images = [attributes for tag, attributes in read(page) if tag == "img"]
    for image, figure in zip(images, figures, strict=True):
        assert base64.b64decode(image["src"].removeprefix("data:image/png;base64,")) == figure.png
        assert image["alt"] == figure.caption
        assert (image["width"], image["height"]) == ("60", "35")
    links = [attributes.get("src") or attributes.get("href") or "" for _, attributes in read(page)]
    assert all(link.startswith(("#", "data:", "")) and "//" not in link[:40] for link in links)
    assert "@import" not in page
    assert "url(" not in page


def test_page_and_card_say_in_words_how_good_the_model_is() -> None:
    page, _ = make_page()
    assert "<li>Right proposals: 40 % &lt;b&gt;</li>" in page
    assert page.index("How good it is</h2>") < page.index("Metrics on validation</h2>")
    figures = {"proposals_right": 0.164, "proposals_right_commonest": 0.35, "measured_images": 1200.0}
    card = write_model_card(FACTS._replace(metrics=figures))
    assert "\n- The proposals are no better than the commonest class: do not show them to annotators" in card
    assert "\n- How good this model is was not measured.\n" in write_model_card(FACTS)


def test_page_escapes_names_of_the_user() -> None:
    tags = [tag for tag, _ in read(make_page()[0])]
    assert not {"script", "b", "i", "u"} & set(tags)


def test_page_shows_metrics_in_words_and_serves_phones_and_dark_screens() -> None:
    page, _ = make_page()
    assert "F1 on images predicted certain" in page
    assert "0.800" in page
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    targets = {attributes["id"] for _, attributes in read(page) if "id" in attributes}
    assert {attributes["href"][1:] for tag, attributes in read(page) if tag == "a"} <= targets


def test_card_states_data_split_metrics_and_the_warning() -> None:
    card = write_model_card(FACTS)
    for text in ("6 images, 50 votes", "`f00`", "`cat` 3", "32.5%", "`labelled` 2", "variant `dc3`", "prior: `0.6`"):
        assert text in card
    assert "confirmation bias" in card
    assert "without any proposal" in card
    validation, test = card.split("## Metrics on test")
    assert ": 0.812" in validation
    assert ": 0.750" in test
    assert "0.750" not in validation


def test_figures_of_the_test_part_have_names_of_their_own() -> None:
    """On the page and in the card, and under a heading that says so."""
    page, _ = make_page()
    rows = re.findall(r'<th scope="row" title="(.*?)">(.*?)</th><td[^>]*>(.*?)</td>', page)
    assert rows[0] == ("f1", "F1 on images predicted certain (weighted by class; 1 is best)", "0.800")
    assert rows[2] == ("test_f1", "test part: F1 on images predicted certain (weighted by class; 1 is best)", "0.700")
    assert len({text for _, text, _ in rows}) == len(rows)
    assert re.findall(r"<h2 .*?>(Metrics.*?)</h2>", page) == ["Metrics on validation", "Metrics on test"]
    card = write_model_card(FACTS)
    assert card.count("- F1 on images predicted certain") == 1
    assert card.count("- test part: F1 on images predicted certain") == 1


def test_card_has_no_test_section_without_a_test_part() -> None:
    assert "Metrics on test" not in write_model_card(FACTS._replace(metrics={"f1": 0.5}))


def test_card_shows_names_as_code_so_that_markdown_reads_nothing_in_them() -> None:
    card = write_model_card(FACTS)
    assert "`<script>` 2" in card
    assert "`a'b` 1" in card


def test_card_says_what_the_data_called_for() -> None:
    card = write_model_card(FACTS)
    assert "\n- `2 of 6 images with votes have several classes with most votes`\n- `a'b`\n" in card
