"""The XML of the projects, read back as Label Studio reads it."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from relabel.label_studio.project_pages import cluster_config, image_config
from tests.relabel.label_studio.bundles import CLASSES

_names = st.lists(
    st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="$"), min_size=1),
    min_size=2,
    max_size=15,
    unique=True,
)


def choices(config: str, control: str) -> list[tuple[str | None, str | None]]:
    """(class, key) of one control."""
    found = ElementTree.fromstring(config).find(f".//Choices[@name='{control}']")
    assert found is not None
    return [(choice.get("value"), choice.get("hotkey")) for choice in found]


@given(_names)
def test_any_class_name_survives_the_xml(names: list[str]) -> None:
    classes = tuple(names)
    assert tuple(value for value, _ in choices(image_config(classes, small=False), "label")) == classes
    assert tuple(value for value, _ in choices(cluster_config(classes), "cluster_label")) == (*classes, "mixed")


def test_digits_choose_the_first_ten_classes_and_m_is_mixed() -> None:
    classes = (*CLASSES, "eleventh")
    keys = [key for _, key in choices(image_config(classes, small=True), "label")]
    assert keys == [*"1234567890", None]
    assert choices(cluster_config(classes), "cluster_label")[-2:] == [("eleventh", None), ("mixed", "m")]
    assert [key for _, key in choices(cluster_config(("a", "b")), "cluster_label")] == ["1", "2", "m"]


def test_only_small_images_are_enlarged_with_hard_pixels() -> None:
    for small, width, smooth in ((True, "256px", "false"), (False, "640px", "true")):
        image = ElementTree.fromstring(image_config(CLASSES, small)).find("Image")
        assert image is not None
        assert (image.get("maxWidth"), image.get("smoothing")) == (width, smooth)
