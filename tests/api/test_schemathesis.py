"""Generated requests against the whole application: no fault of ours, and answers as the document describes them."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from tests.make import Customer, make_customer
from tests.vault.make import make_credential

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
api = schemathesis.pytest.from_fixture("openapi")


@pytest.fixture
def openapi(own_database: None) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", application)


@pytest.fixture
def customer(own_vault: None, providers: None) -> Customer:
    return make_customer(balance="100")


# The application closes connections between requests, as it does where it is deployed: not to be had in a transaction.
@pytest.mark.usefixtures("own_database")
@api.parametrize()
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests(case: schemathesis.Case, customer: Customer) -> None:
    """F3: whatever fits the document, and much that does not, is answered as it says."""
    if "workspace" in case.path_parameters:
        case.path_parameters["workspace"] = customer.workspace.slug
    if "credential_id" in case.path_parameters:
        case.path_parameters["credential_id"] = f"cred_{make_credential(customer.tenant).id.hex}"
    case.call_and_validate(headers=customer.key.header, checks=CHECKS)
