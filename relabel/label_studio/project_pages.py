"""Label Studio's XML of the two projects: one image with its class, one cluster as a grid."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from data.proposals import MIXED

IMAGE_CLASS, CLUSTER_CLASS, OUTLIERS = "label", "cluster_label", "outliers"
"""Names of the controls, as they stand in predictions and answers."""
ANCHOR = "anchor"
THUMBNAIL = 96
"""Side of an image in the grid, in pixels."""
_HOTKEYS = "1234567890"
_MIXED_KEY = "m"
# Label Studio's own look sets a small tick below the image, easily overlooked. Aligned at the top because the hints of
# the keys, which run out, make some images taller.
_GRID = """
.dc3-grid .lsf-choice { vertical-align: top; }
.dc3-grid .ant-checkbox-checked + span img { outline: 4px solid #d4380d; opacity: 0.45; }
.dc3-grid .lsf-hint { display: block; position: static; line-height: 14px; }
"""


def image_config(classes: tuple[str, ...], small: bool) -> str:
    """One image and its class; `small` images are enlarged with hard pixels."""
    view = Element("View")
    SubElement(view, "Header", value="Which class is it?")
    SubElement(
        view,
        "Image",
        name="image",
        value="$image",
        maxWidth="256px" if small else "640px",
        smoothing="false" if small else "true",
    )
    _add_classes(view, IMAGE_CLASS, "image", classes)
    return ElementTree.tostring(view, "unicode")


def cluster_config(classes: tuple[str, ...]) -> str:
    """A cluster's class, or `mixed`, and the images that do not belong."""
    view = Element("View")
    SubElement(view, "Text", name=ANCHOR, value="$summary")
    SubElement(view, "Header", value="Which class do they show?")
    _add_classes(view, CLUSTER_CLASS, ANCHOR, (*classes, MIXED))
    SubElement(view, "Header", value="Click the images that do NOT belong", size="5")
    SubElement(view, "Style").text = _GRID
    grid = SubElement(view, "View", className="dc3-grid")
    SubElement(grid, "Choices", name=OUTLIERS, toName=ANCHOR, choice="multiple", value="$members", layout="inline")
    return ElementTree.tostring(view, "unicode")


def _add_classes(view: Element, name: str, target: str, classes: tuple[str, ...]) -> None:
    choices = SubElement(
        view, "Choices", name=name, toName=target, choice="single-radio", showInLine="true", required="true"
    )
    for place, label in enumerate(classes):
        choice = SubElement(choices, "Choice", value=label)
        if label == MIXED:
            choice.set("hotkey", _MIXED_KEY)
        elif place < len(_HOTKEYS):
            choice.set("hotkey", _HOTKEYS[place])
