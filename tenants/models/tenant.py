"""Customers of the platform and the rooms that their usage is attributed to."""

from zoneinfo import ZoneInfo, available_timezones

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.timezone import now
from uuid_utils.compat import uuid7

from tenants.permissions import Role

_KEEP_AN_OWNER = """
    IF OLD.role <> 'owner' THEN
        RETURN NULL;
    END IF;
    -- One after another: of two owners who leave at once, the second finds nobody left.
    PERFORM FROM tenants_tenant WHERE id = OLD.tenant_id FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (SELECT FROM tenants_membership WHERE tenant_id = OLD.tenant_id AND role = 'owner') THEN
        RAISE EXCEPTION 'pgtrigger: The last owner of a tenant cannot go.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""


def validate_timezone(name: str) -> None:
    """A zone of the IANA database, such as Europe/Berlin."""
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is not a time zone of the IANA database, such as Europe/Berlin.")


class Tenant(models.Model):
    """A customer of the platform: the boundary that no look-up crosses."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=63, default="UTC", validators=[validate_timezone])
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Membership(models.Model):
    """A user's role in a tenant. A tenant that has had an owner keeps one, whatever happens at once."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.name.title()) for role in Role])
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=[role.value for role in Role]), name="membership_role"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keep_an_owner",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Update | pgtrigger.Delete,
                timing=pgtrigger.Deferred,
                func=_KEEP_AN_OWNER,
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant} as {self.role}"


class Workspace(models.Model):
    """Where agents run. Its billing account is named in `billing.subscriptions`."""

    class Environment(models.TextChoices):
        PRODUCTION = "production"
        TEST = "test"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="workspaces")
    slug = models.SlugField(max_length=63)
    name = models.CharField(max_length=200)
    environment = models.CharField(max_length=20, choices=Environment, default=Environment.PRODUCTION)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="workspace_slug_in_tenant"),
            # Target of composite foreign keys that keep a workspace and its account in one tenant.
            models.UniqueConstraint(fields=["tenant", "id"], name="workspace_in_tenant"),
        ]

    def __str__(self) -> str:
        return self.name


class Office(models.Model):
    """A department of a workspace: a level of attribution and of key assignment."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="offices")
    slug = models.SlugField(max_length=63)
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "slug"], name="office_slug_in_workspace"),
            # Target of composite foreign keys that keep a key's assignment inside one workspace.
            models.UniqueConstraint(fields=["workspace", "id"], name="office_in_workspace"),
        ]

    def __str__(self) -> str:
        return self.name


class Agent(models.Model):
    """An agent registered in a workspace. A retired one keeps its row: its usage still names it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="agents")
    office = models.ForeignKey(Office, models.SET_NULL, null=True, blank=True, related_name="agents")
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-created_at"], name="agent_by_workspace")]
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="agent_in_workspace")]

    def __str__(self) -> str:
        return self.name
