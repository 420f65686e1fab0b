"""Notices to the members of a tenant: an outbox, written in the transaction of the fact that it tells."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from tenants.append_only import kept
from tenants.models import Tenant


class Notice(models.Model):
    """An e-mail to everybody who manages a tenant's billing, or to one address; `key` makes each fact told once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200, unique=True)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    to = models.EmailField(blank=True, help_text="An address of somebody who need not be a member; else members.")
    link = models.CharField(max_length=300, blank=True, help_text="Where its button leads: a path in the console.")
    link_text = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When the next try is due.")
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["due_at"], condition=Q(sent_at__isnull=True), name="notice_to_be_sent")]
        triggers = kept()

    def __str__(self) -> str:
        return self.subject
