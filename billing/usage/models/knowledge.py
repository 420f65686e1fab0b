"""Knowledge-base sources: what occupies KB storage."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from uuid_utils.compat import uuid7

from tenants.models import Workspace


class KnowledgeSource(models.Model):
    """A document of a workspace's knowledge base, by its size. A removed one keeps its row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="knowledge_sources")
    name = models.CharField(max_length=200)
    bytes = models.BigIntegerField()
    created_at = models.DateTimeField(default=now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-created_at"], name="knowledge_by_workspace")]
        constraints = [models.CheckConstraint(condition=Q(bytes__gte=0), name="knowledge_bytes_not_negative")]

    def __str__(self) -> str:
        return self.name
