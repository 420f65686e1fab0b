"""The platform's own keys, as staff run them (K12)."""

from typing import ClassVar

from django.db import models
from django.db.models import QuerySet

from vault.models.credential import Credential


class _PlatformKeys(models.Manager["PlatformKey"]):
    def get_queryset(self) -> QuerySet["PlatformKey"]:
        return super().get_queryset().filter(tenant=None)


class PlatformKey(Credential):
    """A credential without a tenant."""

    objects: ClassVar[models.Manager["PlatformKey"]] = _PlatformKeys()

    class Meta:
        proxy = True
        ordering = ["provider", "name"]
        verbose_name = "platform key"
