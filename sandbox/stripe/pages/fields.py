"""Inputs with their labels and what is wrong with them."""

from sandbox.stripe.pages.rendering import NOTHING, Html, fill
from sandbox.stripe.values import Json

ATTRIBUTES = {
    "number": 'inputmode="numeric" maxlength="23" required',
    "expiry": 'inputmode="numeric" maxlength="7" required',
    "cvc": 'inputmode="numeric" maxlength="4" required',
    "name": 'maxlength="150" required',
    "email": 'maxlength="250" required',
    "full_name": 'maxlength="250"',
}
KINDS = {  # label, type, placeholder, autocomplete
    "number": ("Card number", "text", "1234 1234 1234 1234", "cc-number"),
    "expiry": ("Expiry date", "text", "MM / YY", "cc-exp"),
    "cvc": ("Security code", "text", "CVC", "cc-csc"),
    "name": ("Name on card", "text", "", "cc-name"),
    "email": ("E-mail", "email", "", "email"),
    "full_name": ("Name", "text", "", "name"),
}


def field(name: str, values: Json, errors: dict[str, str], *, readonly: bool = False) -> Html:
    """One input; an error is tied to it for those who do not see it."""
    label, kind, placeholder, autocomplete = KINDS[name]
    error = errors.get(name)
    more = f" {ATTRIBUTES[name]}" + (" readonly" if readonly else "")
    if error:
        more += f' aria-invalid="true" aria-describedby="{name}-error"'
    return fill(
        "field.html",
        name=name,
        label=label,
        type=kind,
        value=values.get(name, ""),
        placeholder=placeholder,
        autocomplete=autocomplete,
        more=Html(more),
        error=fill("field_error.html", name=name, text=error) if error else NOTHING,
    )


def alert(text: str | None, tone: str = "bad") -> Html:
    """A message above a form: errors are read out at once."""
    if not text:
        return NOTHING
    return fill("alert.html", text=text, tone=tone, role="alert" if tone == "bad" else "status")
