"""The pages that stand alone have one style, each with its own rules only."""

import re
from pathlib import Path

import pytest

from relabel.agreement import report
from training.report import data_page, page
from web.standalone import STYLE

TEMPLATES = (page.TEMPLATE, data_page.TEMPLATE, report.TEMPLATE)
SHARED = set(STYLE.read_text().splitlines())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_pages_share_one_style_and_repeat_none_of_its_rules(template: Path) -> None:
    text = template.read_text()
    assert "{{ style }}" in text
    assert not SHARED & set(text.splitlines())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_all_classes_of_a_page_have_a_rule(template: Path) -> None:
    text = template.read_text()
    used = {name for names in re.findall(r'class="([^"{]*)"', text) for name in names.split()}
    assert used
    assert not [name for name in used if f".{name}" not in STYLE.read_text() + text.split("</style>")[0]]
