from tenants.models.api_key import ApiKey
from tenants.models.audit import AuditEvent
from tenants.models.invitation import Invitation
from tenants.models.tenant import Agent, Membership, Office, Tenant, Workspace
from tenants.models.user import User

__all__ = ["Agent", "ApiKey", "AuditEvent", "Invitation", "Membership", "Office", "Tenant", "User", "Workspace"]
