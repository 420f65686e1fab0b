"""Documents as PDF, tagged for screen readers: the same facts give the same bytes, wherever they are set (I2)."""

from datetime import UTC
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec
import typst
from django.conf import settings

from billing.invoices.documents.facts import DocumentFacts

_OWN_FONTS = Path(__file__).parent / "fonts"
_FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
# The template uses no packages, and a machine’s own are out of its reach.
_NO_PACKAGES = "/dev/null/packages"


def render_pdf(facts: DocumentFacts) -> bytes:
    """Set a document on A4 or US letter. Takes a few hundredths of a second; safe to call from several threads."""
    root = settings.BASE_DIR / "templates" / "invoices"
    compiler = typst.Compiler(
        str(root / "document.typ"),
        root=str(root),
        font_paths=_fonts(),
        sys_inputs={"facts": msgspec.json.encode(facts).decode()},
        package_path=_NO_PACKAGES,
        package_cache_path=_NO_PACKAGES,
    )
    pdf = compiler.compile(format="pdf", timestamp=facts.issued_at.astimezone(UTC).replace(microsecond=0))
    if not isinstance(pdf, bytes):
        raise TypeError("One document is one file.")
    return pdf


@cache
def _fonts() -> typst.Fonts:
    """Our own faces alone: a machine's would make its documents differ from others'."""
    # Found, not imported: none of their code is run.
    specs = [find_spec(package) for package in _FONT_PACKAGES]
    found = [folder for spec in specs if spec is not None for folder in spec.submodule_search_locations or ()]
    folders = [str(_OWN_FONTS), *found]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
