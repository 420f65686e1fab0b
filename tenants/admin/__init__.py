from tenants.admin.api_key import ApiKeyAdmin
from tenants.admin.audit import AuditEventAdmin
from tenants.admin.invitation import InvitationAdmin
from tenants.admin.sign_in import AuthenticatorAdmin, EmailAddressAdmin, GroupAdmin
from tenants.admin.tenant import TenantAdmin
from tenants.admin.user import UserAdmin

__all__ = [
    "ApiKeyAdmin",
    "AuditEventAdmin",
    "AuthenticatorAdmin",
    "EmailAddressAdmin",
    "GroupAdmin",
    "InvitationAdmin",
    "TenantAdmin",
    "UserAdmin",
]
