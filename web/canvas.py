"""What all figures share: text that is taken literally, colours of classes, and the way to a PNG."""

import io
import warnings
from functools import cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names
from matplotlib.text import Text

Colour = tuple[float, float, float]

GREY: Colour = (0.78, 0.78, 0.78)
RED: Colour = (0.84, 0.10, 0.11)

# a lab's class names may be in any script; DejaVu lacks the East Asian ones
_FALLBACK_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans")


def plain(name: str, width: int = 16) -> str:
    """A name as matplotlib shows it literally: one line, `$` no formula, at most `width` characters.

    A long one loses its middle: names of a series ('species number 12') differ at the end.
    """
    line = " ".join(name.split())
    if len(line) > width:
        tail = (width - 1) // 3
        line = line[: width - 1 - tail] + "…" + line[-tail:]
    return line.replace("$", r"\$")


def class_colours(n: int) -> list[Colour]:
    """One colour each; they repeat from the 21st on, as in the paper's Figure 4."""
    table = [tuple(colour[:3]) for colour in mpl.colormaps["tab20"](range(20))]
    ordered = table[0::2] + table[1::2]
    return [ordered[index % 20] for index in range(n)]


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure, sides in inches, with a canvas of its own and no global state."""
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def draw_png(figure: Figure, dpi: int = 100) -> bytes:
    """The figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    for text in figure.findobj(Text):
        text.set_fontfamily(_fonts())
    with warnings.catch_warnings():
        # a character that no installed font has is drawn as a box: no reason to lose the figure
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", pad_inches=0.1)
    return buffer.getvalue()


def save(figure: Figure, path: Path, dpi: int = 100) -> None:
    """Writes the figure as PNG."""
    path.write_bytes(draw_png(figure, dpi))


@cache
def _fonts() -> list[str]:
    installed = set(get_font_names())
    return ["DejaVu Sans", *(name for name in _FALLBACK_FONTS if name in installed)]
