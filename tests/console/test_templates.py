"""What every template file must keep to."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template, render_to_string

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.html"))
# E-mails are no pages: nothing but styles in place reaches their readers.
PAGES = [name for name in TEMPLATES if not name.startswith("notifications/")]
FORBIDDEN = re.compile(r"""\sstyle=|<style|\son[a-z]+=["']|\shx-on|javascript:|<script(?![^>]*\ssrc=)""")


@pytest.mark.parametrize("name", PAGES)
def test_template_compiles_and_needs_no_inline_code(name: str) -> None:
    """F1: the content security policy allows neither inline scripts nor inline styles."""
    get_template(name)
    assert FORBIDDEN.search((ROOT / name).read_text()) is None


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "500"])
def test_error_page_needs_no_context(code: str) -> None:
    """F1: an error page renders when everything else failed."""
    assert f'<p class="text-muted-foreground font-medium">Error {code[:3]}</p>' in render_to_string(f"{code}.html")
