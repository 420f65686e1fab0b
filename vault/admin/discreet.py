"""Forms of staff into which somebody may paste a key."""

from django import forms

from vault.inputs import may_be_a_key


class DiscreetForm(forms.BaseForm):
    """Shows nothing again that looks like a key, and says nothing of it but that (K2)."""

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.errors:
            self.data = {name: "" if may_be_a_key(str(text)) else text for name, text in self.data.items()}
