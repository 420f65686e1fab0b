"""A form whose values a service checks once more: what it refuses is told at the fields that it names."""

from typing import Any

from django import forms

from billing.core.problems import Problem


class ServiceForm(forms.Form):
    """`changes` are the values of a valid form, by the names that the service knows them by."""

    def changes(self) -> dict[str, Any]:
        """Of a valid form."""
        return {name: self.cleaned_data[name] for name in self.fields}

    def refuse(self, problem: Problem) -> None:
        """Put what the service refuses at the fields that it names, and the rest at the form."""
        named = [error for error in problem.errors if error.field in self.fields]
        for error in named:
            self.add_error(error.field, error.detail)
        if not named:
            self.add_error(None, f"{problem.detail} {problem.remedy or ''}".strip())

    def focus_on_error(self) -> None:
        """Let the browser go to the first field that is wrong."""
        for name in self.fields:
            if name in self.errors:
                self.fields[name].widget.attrs["autofocus"] = True
                return
