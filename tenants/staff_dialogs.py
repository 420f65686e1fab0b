"""Dialogs of the staff admin that ask for something before they act."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.decorators import action

View = Callable[..., HttpResponse]

# unfold has no types; checkers see the Django form that its dialog form derives from.
if TYPE_CHECKING:

    class _DialogForm(forms.Form):
        request: HttpRequest
        object_id: str

        def __init__(self, *args: Any, **kwargs: Any) -> None: ...
else:
    from unfold.forms import BaseDialogForm as _DialogForm


class DialogForm(_DialogForm):
    """A form in a dialog about the object with `object_id`; what is wrong as a whole is shown above its fields."""

    form_before_template = "admin/dialog/errors.html"

    def get_before_template_context(self, request: HttpRequest, object_id: str | None = None) -> dict[str, Any]:
        return {"form": self}


def dialog_action(
    title: str, *, form_class: type[DialogForm], submit: str, text: str, icon: str, permission: str, url_path: str
) -> Callable[[View], View]:
    """A button on an object's page that opens a form: opening it changes nothing, only a valid form does.

    The function gets (self, request, form, found object). A ValidationError of its services is shown in the form.
    Whoever has `has_<permission>_permission` sees the button. unfold would take the name of one of Django's, too, but
    asks the database for it while a command starts, which may be the one that makes the database's tables.
    """
    dialog = {"title": title, "description": text, "form_class": form_class, "form_submit_text": submit}
    as_action = action(description=f"{title}…", icon=icon, permissions=[permission], url_path=url_path, dialog=dialog)

    def decorate(function: View) -> View:
        @wraps(function)
        def act(page: Any, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
            try:
                return function(page, request, form, _found(page, request, object_id))
            except ValidationError as error:
                form.add_error(None, error.messages)
            except IntegrityError:
                form.add_error(None, "Somebody saved the same at the same moment. Look before you try again.")
            context = {"dialog": dialog, "form": form, "form_submit_text": submit}
            return render(request, "unfold/helpers/dialog.html", context)

        view: View = as_action(act)

        @wraps(view)  # with unfold's attributes of an action
        def opened(page: Any, request: HttpRequest, object_id: str) -> HttpResponse:
            _found(page, request, object_id)
            return view(page, request, object_id=object_id)

        return opened

    return decorate


def _found(page: Any, request: HttpRequest, object_id: str) -> Any:
    found = page.get_object(request, unquote(object_id))
    if found is None:
        raise Http404(object_id)
    return found
