"""Records as the JSON API describes them."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.cognito.attributes import schema_of
from innkeeper.issuer.core.cognito.records import PASSWORD_RULES, AppClient, Domain, Group, Pool, ResourceServer, User
from innkeeper.issuer.desk.cognito.twin import Place
from innkeeper.issuer.dialects.cognito.api.operation import given, listed

_POOL_MEMBERS = [
    "LambdaConfig",
    "AutoVerifiedAttributes",
    "AliasAttributes",
    "UsernameAttributes",
    "SmsVerificationMessage",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "SmsAuthenticationMessage",
    "UserAttributeUpdateSettings",
    "DeviceConfiguration",
    "SmsConfiguration",
    "UserPoolAddOns",
    "DcrConfiguration",
    "UsernameConfiguration",
    "AccountRecoverySetting",
    "KeyConfiguration",
    "IssuerConfiguration",
    "AcrConfiguration",
]


def arn(place: Place, pool: Pool) -> str:
    return f"arn:aws:cognito-idp:{pool.region}:{place.twin.account_id}:userpool/{pool.id}"


def pool_document(place: Place, pool: Pool, users: int = 0) -> dict[str, Any]:
    """UserPoolType: what was set, and Cognito's defaults where nothing was."""
    said = pool.said
    policies = dict(said.get("Policies") or {})
    policies["PasswordPolicy"] = {**PASSWORD_RULES, **policies.get("PasswordPolicy", {})}
    policies.setdefault("SignInPolicy", {"AllowedFirstAuthFactors": ["PASSWORD"]})
    admin = {
        "AllowAdminCreateUserOnly": False,
        "UnusedAccountValidityDays": 7,
        **(said.get("AdminCreateUserConfig") or {}),
    }
    custom = {"CustomDomain": pool.domain} if "." in pool.domain else {"Domain": pool.domain} if pool.domain else {}
    return {
        "Id": pool.id,
        "Name": pool.name,
        "Policies": policies,
        "DeletionProtection": said.get("DeletionProtection", "INACTIVE"),
        "LambdaConfig": {},
        **{name: said[name] for name in _POOL_MEMBERS if name in said},
        "LastModifiedDate": pool.modified_at,
        "CreationDate": pool.created_at,
        "SchemaAttributes": schema_of(pool),
        "VerificationMessageTemplate": said.get(
            "VerificationMessageTemplate", {"DefaultEmailOption": "CONFIRM_WITH_CODE"}
        ),
        "MfaConfiguration": pool.mfa_mode,
        "EstimatedNumberOfUsers": users,
        "EmailConfiguration": said.get("EmailConfiguration", {"EmailSendingAccount": "COGNITO_DEFAULT"}),
        "UserPoolTags": pool.tags,
        "AdminCreateUserConfig": admin,
        "Arn": arn(place, pool),
        "UserPoolTier": said.get("UserPoolTier", "ESSENTIALS"),
        **custom,
    }


_CLIENT_MEMBERS = [
    "AccessTokenValidity",
    "IdTokenValidity",
    "ReadAttributes",
    "WriteAttributes",
    "ExplicitAuthFlows",
    "SupportedIdentityProviders",
    "CallbackURLs",
    "LogoutURLs",
    "DefaultRedirectURI",
    "AllowedOAuthFlows",
    "AllowedOAuthScopes",
    "AnalyticsConfiguration",
    "PreventUserExistenceErrors",
    "RefreshTokenRotation",
]


def client_document(client: AppClient, secret: str | None) -> dict[str, Any]:
    """UserPoolClientType. ``secret`` is told by whoever may describe the client."""
    said = client.said
    return {
        "UserPoolId": client.pool_id,
        "ClientName": client.name,
        "ClientId": client.id,
        **({"ClientSecret": secret} if secret else {}),
        "LastModifiedDate": client.modified_at,
        "CreationDate": client.created_at,
        "RefreshTokenValidity": said.get("RefreshTokenValidity") or 30,
        "TokenValidityUnits": said.get("TokenValidityUnits") or {},
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"],
        **{name: said[name] for name in _CLIENT_MEMBERS if said.get(name) is not None},
        "AllowedOAuthFlowsUserPoolClient": client.oauth,
        "EnableTokenRevocation": client.revocable,
        "EnablePropagateAdditionalUserContextData": bool(said.get("EnablePropagateAdditionalUserContextData", False)),
        "AuthSessionValidity": said.get("AuthSessionValidity") or 3,
        **({"ClientType": client.kind} if client.kind else {}),
    }


def server_document(server: ResourceServer) -> dict[str, Any]:
    scopes = [{"ScopeName": name, "ScopeDescription": text} for name, text in server.scopes.items()]
    return {"UserPoolId": server.pool_id, "Identifier": server.identifier, "Name": server.name, "Scopes": scopes}


def domain_document(place: Place, domain: Domain) -> dict[str, Any]:
    own = domain.said.get("CustomDomainConfig")
    return {
        "UserPoolId": domain.pool_id,
        "AWSAccountId": place.twin.account_id,
        "Domain": domain.name,
        "S3Bucket": f"aws-cognito-prod-{domain.pool_id.partition('_')[0]}-assets",
        "CloudFrontDistribution": f"{domain.version}.cloudfront.net",
        "Version": domain.version,
        "Status": "ACTIVE",
        "CustomDomainConfig": own or {},
        **given({"ManagedLoginVersion": domain.said.get("ManagedLoginVersion", 1)}),
    }


def group_document(pool: Pool, group: Group) -> dict[str, Any]:
    return {
        "GroupName": group.name,
        "UserPoolId": pool.id,
        **given({"Description": group.description, "RoleArn": group.role, "Precedence": group.precedence}),
        "LastModifiedDate": group.modified_at,
        "CreationDate": group.created_at,
    }


def user_document(user: User, wanted: list[str] | None = None) -> dict[str, Any]:
    """UserType, with its attributes under ``Attributes``."""
    said = {name: text for name, text in user.attributes.items() if wanted is None or name in wanted}
    return {
        "Username": user.username,
        "Attributes": listed(said),
        "UserCreateDate": user.person.created_at,
        "UserLastModifiedDate": user.account.modified_at or user.person.created_at,
        "Enabled": not user.person.disabled,
        "UserStatus": user.account.status,
    }


def factors_document(user: User) -> dict[str, Any]:
    """The second factors that a user has, and the one they prefer; nothing where there is none."""
    has = [*(["SOFTWARE_TOKEN_MFA"] if user.account.totp_on else []), *user.account.factors]
    preferred = {"PreferredMfaSetting": user.account.preferred} if user.account.preferred in has else {}
    return {**preferred, "UserMFASettingList": has} if has else {}
