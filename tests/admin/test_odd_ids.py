"""Addresses of the staff admin that somebody made up."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client

from tests.admin.test_pages import MODELS, page

pytestmark = pytest.mark.django_db

ODD = ("%00", "tenant%00", "x" * 300, "1e400", "-1", "٣", "%FF")
ADDRESSES = (*(f"{odd}/change/" for odd in ODD), "%00/history/", "%00/delete/")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_an_id_that_cannot_be_is_no_object(model: type[Model], staff: Client) -> None:
    """F2: an id that no row can have leads to the admin's front page, or is not found, on every page of an object."""
    listed = page(model, "changelist")
    answers = {address: staff.get(f"{listed}{address}").status_code for address in ADDRESSES}
    assert {address: status for address, status in answers.items() if status not in {302, 403, 404}} == {}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_an_odd_filter_finds_nothing(model: type[Model], staff: Client) -> None:
    """F2: what is searched and filtered by is any text."""
    listed = page(model, "changelist")
    filters = [name for name in admin.site.get_model_admin(model).list_filter if isinstance(name, str)]
    names = ("q", "p", "o", "pk", *filters, *(f"{name}__exact" for name in filters))
    answers = {name: staff.get(f"{listed}?{name}=%00").status_code for name in names}
    assert {name: status for name, status in answers.items() if status not in {200, 302}} == {}
