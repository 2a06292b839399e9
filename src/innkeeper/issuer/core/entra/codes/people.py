"""Codes about the person who signs in."""

from __future__ import annotations

from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.protocol.errors import INTERACTION_REQUIRED, INVALID_GRANT, INVALID_REQUEST, LOGIN_REQUIRED

_USERS = "Microsoft Entra ID > Users > the person."

OTHER_TENANT = Aadsts(
    "IK1290",
    INTERACTION_REQUIRED,
    "The person belongs to another tenant",
    "Somebody of another tenant is signed in, and is no guest here.",
    "Sign in with an account of this tenant, or use the person's own tenant.",
    "Selected user account does not exist in tenant '{tenant}' and cannot access the application '{client}' in that tenant.",
    code=16000,
    console="Microsoft Entra ID > Users > Invite external user.",
    terraform="azuread_invitation invites the person as a guest.",
)
OTHER_PROVIDER = Aadsts(
    "IK1291",
    INVALID_REQUEST,
    "The account is not in the tenant",
    "The name's domain belongs to no tenant here.",
    "Sign in with a work account of this tenant.",
    "User account '{user}' from identity provider '{provider}' does not exist in tenant '{tenant}' and cannot access the "
    "application '{client}' in that tenant.",
    code=50020,
    console="Microsoft Entra ID > Users > Invite external user.",
    terraform="azuread_invitation invites the person as a guest.",
)
NOT_IN_DIRECTORY = Aadsts(
    "IK1292",
    INVALID_GRANT,
    "Nobody by that name in the directory",
    "The user name is misspelt or belongs to another tenant.",
    "Send the user principal name, such as guest@hotel.example.",
    "The user account {user} does not exist in the {tenant} directory. To sign into this application, the account must be "
    "added to the directory.",
    code=50034,
    console="Microsoft Entra ID > Users.",
    terraform="azuread_user { user_principal_name }.",
)
WRONG_PASSWORD = Aadsts(
    "IK1293",
    INVALID_GRANT,
    "User name or password is wrong",
    "The password is another one.",
    "Try again; mind capitals.",
    "Error validating credentials due to invalid username or password.",
    code=50126,
    console=f"{_USERS} Reset password.",
    terraform="azuread_user { password }.",
)
LOCKED = Aadsts(
    "IK1294",
    INVALID_GRANT,
    "The account is locked",
    "Several wrong passwords came in a short time.",
    "Wait a minute.",
    "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    code=50053,
    console="Microsoft Entra ID > Security > Authentication methods > Password protection.",
    terraform="nothing: a lock ends by itself.",
)
PASSWORD_EXPIRED = Aadsts(
    "IK1295",
    INVALID_GRANT,
    "The password has expired",
    "An administrator asked for a new password at the next sign-in.",
    "Sign in once in a browser and choose a new password.",
    "The password is expired.",
    code=50055,
    suberror="user_password_expired",
    console=f"{_USERS} Reset password.",
    terraform="azuread_user { force_password_change = false }.",
)
DISABLED = Aadsts(
    "IK1296",
    INVALID_GRANT,
    "The account is disabled",
    "accountEnabled is false.",
    "Nothing in the code helps: somebody has to enable the account.",
    "The user account is disabled.",
    code=50057,
    console=f"{_USERS} Edit properties > Account enabled.",
    terraform="azuread_user { account_enabled = true }.",
)
NO_SESSION = Aadsts(
    "IK1297",
    LOGIN_REQUIRED,
    "Nobody is signed in",
    "prompt=none asks for no page, and this browser has no session.",
    "Ask again without prompt=none.",
    "Session information is not sufficient for single-sign-on.",
    code=50058,
)
INTERACTION_NEEDED = Aadsts(
    "IK1298",
    INTERACTION_REQUIRED,
    "A page must be shown",
    "prompt=none asks for no page, but the person has to consent first.",
    "Ask again without prompt=none.",
    "The user or administrator has not consented to use the application with ID '{client}' named '{name}'. Send an "
    "interactive authorization request for this user and resource.",
    code=65001,
    suberror="consent_required",
)
MFA_NEEDED = Aadsts(
    "IK1299",
    INTERACTION_REQUIRED,
    "A second factor is needed",
    "A policy of the tenant wants multi-factor authentication, which this grant cannot do. The twin answers so on demand.",
    "Send the person to /authorize, with the claims that the answer holds.",
    "Due to a configuration change made by your administrator, or because you moved to a new location, you must use "
    "multi-factor authentication to access '{resource}'.",
    code=50076,
    suberror="basic_action",
    console="Microsoft Entra ID > Security > Conditional Access.",
    terraform="azuread_conditional_access_policy.",
)
MFA_ENROLMENT = Aadsts(
    "IK1300",
    INTERACTION_REQUIRED,
    "A second factor has to be set up",
    "A policy of the tenant wants multi-factor authentication, and the person has none. The twin answers so on demand.",
    "Send the person to /authorize.",
    "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in "
    "multi-factor authentication to access '{resource}'.",
    code=50079,
    suberror="basic_action",
    console="Microsoft Entra ID > Security > Conditional Access.",
    terraform="azuread_authentication_strength_policy and azuread_conditional_access_policy say what is asked for.",
)
BLOCKED = Aadsts(
    "IK1301",
    INVALID_GRANT,
    "Conditional Access says no",
    "A policy of the tenant blocks this sign-in. The twin answers so on demand (`twin fault`).",
    "Nothing in the code helps: ask the administrator of the policy.",
    "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    code=53003,
    suberror="message_only",
    console="Microsoft Entra ID > Security > Conditional Access > Sign-in logs.",
    terraform="azuread_conditional_access_policy.",
)
