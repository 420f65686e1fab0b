"""docs/configuration.md lists what config/settings.py reads."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
READ = re.compile(r"\benv(?:\.\w+)?\(\s*\"(\w+)\"")


def test_every_setting_is_listed_and_nothing_else() -> None:
    """The table's first column; one row may name two."""
    settings = (PROJECT / "config/settings.py").read_text(encoding="utf-8")
    page = (PROJECT / "docs/configuration.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    listed = re.findall(r"`(\w+)`", " ".join(cells))
    assert sorted(listed) == sorted(set(READ.findall(settings)))
