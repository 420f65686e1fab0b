"""The WSGI entry point: what granian serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()
# By name: its views can only be imported once the line above has set Django up.
application = import_string("billing.api.hot.wsgi.HotPath")(_django)
