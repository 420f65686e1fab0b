"""What is done and measured without HTTP: the product's own functions, in a process of theirs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


def environment_for(database_url: str) -> dict[str, str]:
    """What the product's settings are read from."""
    return os.environ | {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "only-for-benchmarks-" * 3,
        "INSECURE_COOKIES": "1",
        "STATIC_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def product(database_url: str, what: str) -> Any:
    """What a function of `bench.inside` answered."""
    return json.loads(run(["-m", "bench.inside_main", what], database_url).splitlines()[-1])


def run(arguments: list[str], database_url: str) -> str:
    """What a Python process printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=environment_for(database_url),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout
