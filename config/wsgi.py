"""The WSGI entry point: what granian serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from config.chunked import ChunkedBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()
# By name: its views can only be imported once the line above has set Django up.
_hot_path = import_string("billing.api.hot.wsgi.HotPath")(_django)
application = ChunkedBodies(_hot_path, limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
