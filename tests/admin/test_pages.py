"""Every page of the staff admin: it answers, in few queries, and shows no secret."""

from itertools import groupby
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.admin.records import make_records, make_shared_records, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
# Making something of everything takes longer than looking at it: what is made is looked at for all models of an app.
APPS = {app: list(models) for app, models in groupby(MODELS, key=lambda model: model._meta.app_label)}
EVERY_APP = pytest.mark.parametrize("models", APPS.values(), ids=APPS)


def page(model: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def some(model: type[Model]) -> Model:
    found = model._default_manager.order_by("pk").first()
    assert found is not None, f"the records lack a {model.__name__}"
    return found


def test_index(staff: Client) -> None:
    """F2: the front page lists what there is."""
    assert staff.get(reverse("admin:index")).status_code == 200


@EVERY_APP
def test_pages_of_a_model(models: list[type[Model]], staff: Client, subtests: pytest.Subtests) -> None:
    """F2: the list shows its rows, is searched by text and by id, and each object has a page without its secrets, and a
    history; what staff may add has a form, the rest is refused."""
    make_records()
    make_shared_records()
    for model in models:
        with subtests.test(model._meta.label):
            look_at(model, staff)


def look_at(model: type[Model], staff: Client) -> None:
    first, listed = some(model), staff.get(page(model, "changelist"))
    assert listed.status_code == 200
    assert listed.context["cl"].result_count > 0
    for term in ("tenant", "no such thing", str(first.pk), f"evt_{first.pk}".replace("-", "")):
        assert staff.get(page(model, "changelist"), {"q": term}).status_code == 200
    shown = staff.get(page(model, "change", first.pk))
    assert shown.status_code == 200
    assert "NEVERSHOWN" not in shown.text
    assert "digest" not in shown.text
    assert staff.get(page(model, "history", first.pk)).status_code == 200
    may = admin.site.get_model_admin(model).has_add_permission(listed.wsgi_request)
    assert staff.get(page(model, "add")).status_code == (200 if may else 403)


@EVERY_APP
def test_queries_do_not_grow(
    models: list[type[Model]],
    staff: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    subtests: pytest.Subtests,
) -> None:
    """F2: a list of many rows costs the same queries as a short one, and no row of an object's page has its own."""
    for number in range(4):
        make_records(slug=f"customer-{number}")
    make_shared_records()
    for model in models:
        with subtests.test(model._meta.label):
            staff.get(page(model, "changelist"))
            with django_assert_max_num_queries(12):
                staff.get(page(model, "changelist"))
            with django_assert_max_num_queries(20):
                staff.get(page(model, "change", some(model).pk))


def test_links_of_the_sidebar(staff: Client) -> None:
    """F2: each link of the sidebar leads to a page."""
    index = staff.get(reverse("admin:index"))
    links = [item["link"] for group in index.context["sidebar_navigation"] for item in group["items"]]
    assert len(links) >= 14
    assert {staff.get(str(link)).status_code for link in links} == {200}


def test_sign_in_is_the_one_of_the_console(client: Client) -> None:
    """F4: staff sign in where members do, under the same limits on guesses."""
    response = client.get(reverse("admin:index"), follow=True)
    assert response.redirect_chain[-1][0].startswith(reverse("account_login"))
    assert client.post(reverse("admin:login"), {"username": "a", "password": "b"}).status_code == 302


def test_members_do_not_get_in(client: Client) -> None:
    """F2: the admin is for staff."""
    client.force_login(make_user())
    response = client.get(reverse("admin:index"), follow=True)
    assert response.status_code == 403
