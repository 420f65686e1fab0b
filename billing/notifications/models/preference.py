"""Which e-mails a member wants of a tenant."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from billing.notifications.kinds import Category
from tenants.models import Tenant


class NotificationPreference(models.Model):
    """A member's choice for one category; without a row they get its e-mails."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_preferences")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="notification_preferences")
    category = models.CharField(max_length=20, choices=[(category.value, category.name) for category in Category])
    email = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user", "category"], name="notification_preference_once"),
            models.CheckConstraint(
                condition=Q(category__in=[category.value for category in Category]),
                name="notification_preference_category",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} {'on' if self.email else 'off'} for {self.user}"
