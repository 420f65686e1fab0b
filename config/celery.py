"""Celery: runs what the database's outboxes and watermarks say is due.

Every periodic task is safe to run twice, late, or in two workers at once: the database decides what is left to do.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("quaestor")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
