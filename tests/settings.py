"""The product's settings with the values that tests need; a variable that is set already wins."""

import os
from importlib import import_module

os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 4)
os.environ.setdefault("INSECURE_COOKIES", "1")
os.environ.setdefault("STATIC_STORAGE", "django.contrib.staticfiles.storage.StaticFilesStorage")

globals().update({name: value for name, value in vars(import_module("config.settings")).items() if name.isupper()})

WHITENOISE_AUTOREFRESH = True  # looks when asked: the folder that a deployment collects into need not exist
MIGRATION_MODULES = {"djstripe": "tests.djstripe.migrations"}  # the same tables, half a minute earlier
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the usual one takes half a second a password
