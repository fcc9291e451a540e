"""What every HTML page with its pictures inside needs: the template, and the pictures as text."""

import base64
import struct
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

STYLE = Path(__file__).parent / "page.css"


@cache
def load_template(path: Path) -> Template:
    """A Jinja template of one file: values are escaped, and an unknown name is an error; `style` is the pages' CSS."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals["style"] = Markup(STYLE.read_text(encoding="utf-8"))
    return environment.from_string(path.read_text(encoding="utf-8"))


def embed_png(png: bytes) -> tuple[str, int, int]:
    """A PNG as base64, its width and its height in pixels, from the header that every PNG begins with."""
    width, height = struct.unpack(">II", png[16:24])
    return base64.b64encode(png).decode(), width, height
