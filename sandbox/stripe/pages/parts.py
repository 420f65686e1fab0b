"""Pieces that several pages are made of."""

from collections.abc import Sequence

from sandbox.stripe.pages.rendering import NOTHING, Html, fill, joined

INVOICE_LOOKS = {
    "draft": ("", "Draft"),
    "open": ("warn", "Open"),
    "paid": ("good", "Paid"),
    "void": ("", "Void"),
    "uncollectible": ("bad", "Uncollectible"),
}


def section(anchor: str, title: str, body: Html) -> Html:
    return fill("section.html", anchor=anchor, title=title, body=body)


def paragraph(text: str, look: str = "") -> Html:
    return fill("paragraph.html", text=text, look=look)


def badge(text: str, tone: str = "") -> Html:
    return fill("badge.html", text=text, tone=tone)


def invoice_badge(status: str) -> Html:
    tone, text = INVOICE_LOOKS[status]
    return badge(text, tone)


def button(action: str, text: str, look: str = "quiet slim") -> Html:
    """A form of one button."""
    return fill("button_form.html", action=action, text=text, look=look)


def action_link(address: str, text: str, look: str = "quiet slim") -> Html:
    return fill("action_link.html", address=address, text=text, look=look)


def text_link(address: str, text: str) -> Html:
    return fill("text_link.html", address=address, text=text)


def back(address: str | None, text: str) -> Html:
    return fill("back.html", address=address, text=text) if address else NOTHING


def facts(rows: Sequence[tuple[str, str | Html]]) -> Html:
    return fill("facts.html", rows=joined(fill("fact.html", name=name, value=value) for name, value in rows))


def table(label: str, columns: Sequence[str], rows: Sequence[Sequence[str | Html]]) -> Html:
    """A table that scrolls by itself; a column whose name ends in ">" holds figures."""
    names = [column.removesuffix(">") for column in columns]
    looks = ["number" if column.endswith(">") else "" for column in columns]
    head = joined(fill("table_head.html", text=name, look=look) for name, look in zip(names, looks, strict=True))
    body = joined(_row(row, names, looks) for row in rows)
    return fill("table.html", label=label, head=head, rows=body)


def _row(cells: Sequence[str | Html], names: list[str], looks: list[str]) -> Html:
    columns = zip(cells, names, looks, strict=True)
    filled = joined(fill("table_cell.html", text=cell, label=name, look=look) for cell, name, look in columns)
    return fill("table_row.html", cells=filled)
