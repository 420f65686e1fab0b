"""A form's field for amounts that people type."""

import re
from typing import Any

from django import forms

_PLAIN = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")


class PlainDecimalField(forms.DecimalField):
    """Takes plain numbers alone: no exponents, no underscores, no digits of other scripts, which Decimal would take."""

    default_error_messages = {"plain": "Write the number out, such as 1000 or 12.50."}

    def clean(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip() and _PLAIN.fullmatch(value.strip()) is None:
            raise forms.ValidationError(self.error_messages["plain"], code="plain")
        return super().clean(value)
