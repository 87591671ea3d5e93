"""The catalogue: the apps that districts may grant something. What a district lets one see is its grant (models/access)."""

from django.db import models


class App(models.Model):
    """A product that reads rosters, as the catalogue of this installation knows it."""

    name = models.CharField(max_length=200)
    vendor = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
