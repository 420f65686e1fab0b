"""A plan: the name that its versions share."""

from django.db import models
from uuid_utils.compat import uuid7


class Plan(models.Model):
    """A plan of a catalogue. What it costs and allows is in its versions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    catalogue = models.SlugField(max_length=63, help_text="The family of plans that a customer chooses among.")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_public = models.BooleanField(default=True, help_text="Listed to every customer.")
    is_custom = models.BooleanField(default=False, help_text="Contact us: staff set prices and limits.")
    is_default = models.BooleanField(default=False, help_text="Where an account of this catalogue falls back to.")

    class Meta:
        ordering = ["catalogue", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["catalogue"], condition=models.Q(is_default=True), name="plan_one_default_in_catalogue"
            )
        ]

    def __str__(self) -> str:
        return self.name
