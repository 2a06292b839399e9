"""One ordinary context for every page, and the hostile one that no page may let through."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.pages.compare import compare, compare_words
from innkeeper.issuer.pages.qr import drawn

SITE: dict[str, Any] = {"realm_name": "innkeeper", "static": "/static"}
CLIENT: dict[str, Any] = {
    "name": "Guest App",
    "id": "guest-app",
    "host": "guests.example",
    "policy_uri": "https://guests.example/privacy",
    "tos_uri": "https://guests.example/terms",
}
FORM: dict[str, Any] = {"csrf": "c5rf", "ticket": "t1cket"}

STEPS = (
    {
        "name": "client is known",
        "sentence": "The client must be one that is registered here.",
        "spec": "RFC 6749 §4.1.2.1",
        "passed": True,
        "expected": "",
        "found": "guest-app",
        "reason": "",
        "hint": "",
    },
    {
        "name": "redirect uri is registered",
        "sentence": "The redirect URI must equal one that the client registered.",
        "spec": "RFC 9700 §4.1.3",
        "passed": False,
        "expected": "http://127.0.0.1:8765/callback",
        "found": "http://127.0.0.1:8765/Callback/",
        "reason": "the redirect URI is not one of the 2 registered",
        "hint": "Send a registered URI, character by character.",
    },
)

SIGN_IN: dict[str, Any] = {
    **SITE,
    **FORM,
    "client": CLIENT,
    "action": "/sign-in",
    "username": "",
    "passkey": None,
    "problem": None,
    "passwords": True,
    "upstreams": [],
    "sign_up_url": "/sign-up?ticket=t",
    "development": True,
    "hint_credentials": [("guest@hotel.example", "Correct-Horse-7")],
}
UPSTREAMS = [{"id": "entra", "title": "Microsoft"}, {"id": "pool", "title": "The staff pool"}]
ELSEWHERE = SIGN_IN | {"upstreams": UPSTREAMS[:1], "passwords": False, "hint_credentials": []}
SIGN_UP: dict[str, Any] = {
    **SITE,
    **FORM,
    "client": CLIENT,
    "action": "/sign-up",
    "username": "",
    "name": "",
    "problem": None,
    "sign_in_url": "/sign-in?ticket=t",
}
AGENT: dict[str, Any] = {
    "purpose": "Plans spa treatments and books them",
    "owner": "Grace Visitor",
    "status": "active",
    "resting": False,
}
ACTS: list[dict[str, Any]] = [
    {
        "at": "23 Nov 2026, 14:05 UTC",
        "machine": "2026-11-23T14:05:00Z",
        "what": ["Use the gym while it is open", "Use the pool while it is open"],
        "where": ["The hotel"],
        "through": ["The concierge", "Guest App"],
    },
    {
        "at": "22 Nov 2026, 09:40 UTC",
        "machine": "2026-11-22T09:40:00Z",
        "what": ["Open the door of your room"],
        "where": ["The hotel"],
        "through": [],
    },
]
CONSENT: dict[str, Any] = {
    **SITE,
    **FORM,
    "client": CLIENT,
    "action": "/consent",
    "redirect_host": "127.0.0.1:8765",
    "loopback": True,
    "changed": False,
    "agent": None,
    "person": {"name": "Ada Guest", "username": "guest@hotel.example"},
    "asks": [
        {
            "scope": "openid",
            "title": "Know who you are",
            "description": "Your name here, nothing more.",
            "is_new": False,
        },
        {
            "scope": "room:enter",
            "title": "Open your room",
            "description": "Your own room, while you stay.",
            "is_new": False,
        },
        {"scope": "gym:enter", "title": "Use the gym", "description": "During its opening hours.", "is_new": True},
    ],
    "resources": [{"uri": "http://127.0.0.1:8400/hotel", "name": "The hotel"}],
    "until": "30 days or until you check out",
    "access_minutes": 15,
    "switch_url": "/sign-in?switch=1",
}
FIRST: dict[str, Any] = {
    **SITE,
    **FORM,
    "action": "/sign-in",
    "client": CLIENT,
    "agent": None,
    "upstream": {"id": "entra", "title": "Microsoft", "host": "login.microsoftonline.com"},
    "redirect_host": "guests.example",
    "loopback": False,
    "asks": CONSENT["asks"][1:],
    "resources": CONSENT["resources"],
    "until": "30 days after its last use, or until you sign out",
    "problem": None,
}
DEVICE: dict[str, Any] = {**SITE, "csrf": "c5rf", "action": "/device", "user_code": "", "problem": None}
WAITING: dict[str, Any] = {
    **SITE,
    **FORM,
    "action": "/device",
    "client": {"name": "Guest App", "id": "guest-app"},
    "person": CONSENT["person"],
    "asks": [
        {"scope": "room:enter", "title": "Open your room", "description": ""},
        {"scope": "room", "title": "Open one room", "description": "Room 204, to enter"},
    ],
    "resources": CONSENT["resources"],
    "until": "30 days after its last use",
    "age": "2 minutes ago",
    "agent": None,
}
APPROVALS: dict[str, Any] = {
    **SITE,
    "person": CONSENT["person"],
    "rows": [
        {"name": "Guest App", "message": "K7-42", "age": "a minute ago", "url": "/approvals?request=1"},
        {"name": "The concierge", "message": "", "age": "2 minutes ago", "url": "/approvals?request=2"},
    ],
    "answered": "",
    "missed": False,
}
PROBLEM = {
    "number": "IK104",
    "error": "invalid_request",
    "title": "The redirect address is not registered",
    "text": "The app that sent you here asked for the answer at an address it has not registered. You were not sent there.",
    "docs_url": "https://innkeeper.example/errors/IK104",
}
DEVELOPMENT = {
    "reason": "the redirect URI is not one of the 2 registered",
    "remedy": "Send one of the registered URIs, character by character, or register the one you send.",
    "remedies": [("the console", "App client: Allowed callback URLs."), ("Terraform", "callback_urls")],
    "level": "inferred",
    "steps": STEPS,
    "comparison": compare(
        "http://127.0.0.1:8765/Callback/",
        ["https://guests.example/signed-in", "http://127.0.0.1:8765/callback"],
    ),
}
ERROR = {**SITE, "problem": PROBLEM, "development": None}

ACCOUNT: dict[str, Any] = {**SITE, "csrf": "c5rf", "account": "/account", "problem": None}
OVERVIEW: dict[str, Any] = {
    **SITE,
    "csrf": "c5rf",
    "problem": None,
    "action": "/account",
    "done": "That browser is signed out.",
    "person": {"name": "Ada Guest", "username": "guest@hotel.example"},
    "details": [
        ("Name", "Ada Guest"),
        ("E-mail", "guest@hotel.example"),
        ("Telephone", "+44 20 7946 0204 (not confirmed)"),
        ("Address", "204 Harbour Lane\nBrighton BN1 1AA"),
    ],
    "codes_since": "2 Oct 2026, 09:12 UTC",
    "codes_left": 9,
    "passkeys": 2,
    "connected": 1,
    "places": [
        {
            "id": "s1",
            "browser": "Firefox on Linux",
            "since": "23 Nov 2026, 08:01 UTC",
            "used": "23 Nov 2026, 14:05 UTC",
            "used_at": "2026-11-23T14:05:00Z",
            "here": True,
        },
        {
            "id": "s2",
            "browser": "Safari on iPhone",
            "since": "22 Nov 2026, 19:40 UTC",
            "used": "22 Nov 2026, 20:11 UTC",
            "used_at": "2026-11-22T20:11:00Z",
            "here": False,
        },
    ],
    "applications": [
        {
            "id": "concierge",
            "name": "The concierge",
            "may": ["Open the door of your room", "Use the gym while it is open", "See your name and profile"],
            "where": ["The hotel"],
            "since": "20 Nov 2026, 10:30 UTC",
            "since_at": "2026-11-20T10:30:00Z",
            "agent": None,
            "did": [],
            "taken_back": False,
        },
        {
            "id": "spa-agent",
            "name": "The spa’s agent",
            "may": [],
            "where": [],
            "since": "22 Nov 2026, 09:40 UTC",
            "since_at": "2026-11-22T09:40:00Z",
            "agent": AGENT,
            "did": ACTS,
            "taken_back": False,
        },
        {
            "id": "gardener",
            "name": "The gardener",
            "may": [],
            "where": [],
            "since": "21 Nov 2026, 08:00 UTC",
            "since_at": "2026-11-21T08:00:00Z",
            "agent": AGENT | {"purpose": "Waters the plants"},
            "did": [],
            "taken_back": True,
        },
        {
            "id": "wr1ZkqhG9XwVgYp2",
            "name": "Spa Planner",
            "may": ["Know that you signed in"],
            "where": [],
            "since": "21 Nov 2026, 17:02 UTC",
            "since_at": "2026-11-21T17:02:00Z",
            "agent": None,
            "did": [],
            "taken_back": False,
        },
    ],
    "agents": 2,
    "waiting": 1,
    "approvals": "/approvals",
    "parts": {
        "password": "/account/password",
        "codes": "/account/codes",
        "passkeys": "/account/passkeys",
        "connected": "/account/connected",
        "agents": "/account/agents",
        "data": "/account/data",
    },
    "logout": "/logout",
}
OWN: list[dict[str, Any]] = [
    {
        "id": f"agent-{status}",
        "name": name,
        "purpose": purpose,
        "status": status,
        "paused": status == "paused",
        "revoked": status == "revoked",
        "since": "20 Nov 2026, 10:30 UTC",
        "may": ["Open the door of your room", "Use the gym while it is open"],
        "where": ["The hotel"] if status == "active" else [],
    }
    for name, purpose, status in (
        ("The concierge", "Does what guests ask for", "active"),
        ("The spa’s agent", "Plans spa treatments and books them", "paused"),
        ("The night porter", "Let people in at night", "revoked"),
    )
]
CODES: dict[str, Any] = {
    **ACCOUNT,
    "action": "/account/codes",
    "secret": "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP",
    "uri": "otpauth://totp/innkeeper:guest%40hotel.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=innkeeper",
    "qr": drawn("otpauth://totp/innkeeper:guest%40hotel.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
}
PASSKEYS: dict[str, Any] = {
    **ACCOUNT,
    "action": "/account/passkeys",
    "done": None,
    "passkeys": [
        {
            "id": "c1",
            "name": "My phone",
            "since": "1 Nov 2026, 08:00 UTC",
            "used": "23 Nov 2026, 08:01 UTC",
            "shared": True,
        },
        {"id": "c2", "name": "The key on my keyring", "since": "3 Nov 2026, 12:20 UTC", "used": None, "shared": False},
    ],
    "passkey": '{"challenge": "x"}',
}

POOL_FORM: dict[str, Any] = {
    **SITE,
    "title": "Sign in",
    "lead": "to go on to",
    "client": "Guest App",
    "action": "/us-east-1_innkeepr1/login?client_id=guest-app",
    "form_name": "cognitoSignInForm",
    "csrf": "c5rf",
    "hidden": [("cognitoAsfData", "")],
    "fields": [
        {"id": "username", "label": "User name", "kind": "text", "value": "", "complete": "username", "required": True},
        {
            "id": "password",
            "label": "Password",
            "kind": "password",
            "value": "",
            "complete": "current-password",
            "required": True,
        },
    ],
    "button": {"id": "sign-in", "name": "signInSubmitButton", "label": "Sign in"},
    "links": [("Forgot your password?", "/us-east-1_innkeepr1/forgotPassword")],
    "problem": "Incorrect username or password.",
    "news": "",
    "hints": [("guest@hotel.example", "Correct-Horse-7")],
    "outbox": "/us-east-1_innkeepr1/outbox",
}
MESSAGE: dict[str, Any] = {
    "medium": "EMAIL",
    "to": "guest@hotel.example",
    "subject": "Your verification code",
    "text": "Your confirmation code is 123456",
    "code": "123456",
    "at": "2026-11-27 20:00:00 UTC",
}

PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "pool-form": ("cognito/form.html", POOL_FORM),
    "pool-outbox": ("cognito/outbox.html", {**SITE, "messages": [MESSAGE]}),
    "sign-in": ("sign_in.html", SIGN_IN),
    "sign-up": ("sign_up.html", SIGN_UP),
    "sign-up-refused": ("sign_up.html", SIGN_UP | {"problem": "That name is taken.", "username": "guest"}),
    "sign-in-problem": (
        "sign_in.html",
        SIGN_IN
        | {
            "username": "guest@hotel.example",
            "problem": "That name and password do not match.",
            "hint_credentials": [],
        },
    ),
    "sign-in-also-elsewhere": ("sign_in.html", SIGN_IN | {"upstreams": UPSTREAMS}),
    "sign-in-only-elsewhere": (
        "sign_in.html",
        {name: value for name, value in ELSEWHERE.items() if name != "username"},
    ),
    "account-connected": (
        "account_connected.html",
        ACCOUNT
        | {"action": "/account/connected", "ways": [("entra", "Microsoft", True), ("pool", "The staff pool", False)]},
    ),
    "sign-in-passkey": ("sign_in.html", SIGN_IN | {"passkey": '{"challenge": "x"}'}),
    "consent": ("consent.html", CONSENT),
    "consent-plain": ("consent.html", CONSENT | {"asks": CONSENT["asks"][:1], "resources": [], "loopback": False}),
    "consent-first": ("consent_first.html", FIRST),
    "consent-first-loopback": (
        "consent_first.html",
        {name: value for name, value in FIRST.items() if name != "redirect_host"}
        | {"loopback": True, "problem": "The other issuer rests."},
    ),
    "consent-agent": ("consent.html", CONSENT | {"agent": AGENT, "loopback": False}),
    "account-agents": ("account_agents.html", ACCOUNT | {"action": "/account/agents", "done": None, "agents": OWN}),
    "account-agents-none": (
        "account_agents.html",
        ACCOUNT | {"action": "/account/agents", "agents": [], "problem": "That agent is not yours."},
    ),
    "approval-agent": (
        "approval.html",
        WAITING
        | {
            "message": "Bag 7",
            "back_url": "/approvals",
            "agent": AGENT,
            "through": ["The concierge"],
            "once": True,
            "until": "10 minutes",
        },
    ),
    "consent-changed": ("consent.html", CONSENT | {"changed": True}),
    "code": ("sign_in_code.html", SITE | FORM | {"action": "/sign-in/code", "problem": None, "passkey_url": None}),
    "code-problem": (
        "sign_in_code.html",
        SITE
        | FORM
        | {
            "action": "/sign-in/code",
            "problem": "That code is not right. Wait for the next one.",
            "passkey_url": "/sign-in?ticket=t1cket",
        },
    ),
    "tenant-sign-in": ("entra_sign_in.html", SIGN_IN),
    "tenant-device": ("entra_device.html", DEVICE),
    "device": ("device.html", DEVICE),
    "device-problem": (
        "device.html",
        DEVICE | {"user_code": "BCDF", "problem": "No device is waiting with this code."},
    ),
    "device-consent": ("device_consent.html", WAITING | {"user_code": "BCDF-GHJK", "switch_url": "/sign-in?ticket=1"}),
    "approval": (
        "approval.html",
        WAITING | {"message": "K7-42", "back_url": "/approvals", "through": [], "once": False},
    ),
    "approval-silent": (
        "approval.html",
        WAITING | {"message": "", "back_url": "/approvals", "asks": [], "through": [], "once": False},
    ),
    "approvals": ("approvals.html", APPROVALS),
    "approvals-answered": ("approvals.html", APPROVALS | {"rows": [], "answered": "Allowed."}),
    "approvals-missed": ("approvals.html", APPROVALS | {"missed": True}),
    "error": ("error.html", ERROR),
    "error-development": ("error.html", ERROR | {"development": DEVELOPMENT}),
    "error-scope": (
        "error.html",
        ERROR
        | {
            "development": DEVELOPMENT
            | {"comparison": compare_words("room:enter  gym:entеr spa", ["room:enter", "gym:enter", "pool:enter"])}
        },
    ),
    "logout": ("logout.html", SITE | FORM | {"client": CLIENT, "action": "/logout"}),
    "signed-out": ("signed_out.html", SITE | {"back_url": "https://guests.example/", "frames": []}),
    "signed-out-everywhere": (
        "signed_out.html",
        SITE | {"back_url": None, "frames": ["http://127.0.0.1:10/static/mark.svg"]},
    ),
    "account": ("account.html", OVERVIEW),
    "account-empty": (
        "account.html",
        {name: value for name, value in OVERVIEW.items() if name not in ("done", "codes_left")}
        | {
            "problem": "Please send the form again.",
            "codes_since": None,
            "passkeys": 0,
            "places": OVERVIEW["places"][:1],
            "applications": [],
            "details": [],
        },
    ),
    "account-password": (
        "account_password.html",
        ACCOUNT | {"action": "/account/password", "username": "guest@hotel.example"},
    ),
    "account-password-problem": (
        "account_password.html",
        ACCOUNT
        | {
            "action": "/account/password",
            "username": "guest@hotel.example",
            "problem": "Your present password is not right.",
        },
    ),
    "account-codes": ("account_codes.html", CODES),
    "account-codes-problem": ("account_codes.html", CODES | {"problem": "That code is not right."}),
    "account-codes-on": (
        "account_codes_on.html",
        ACCOUNT | {"action": "/account/codes", "since": "2 Oct 2026, 09:12 UTC", "left": 9},
    ),
    "account-recovery": (
        "account_recovery.html",
        SITE
        | {
            "account": "/account",
            "just_on": True,
            "codes": [f"ABCD-EFGH-{number:04}" for number in range(10)],
        },
    ),
    "account-passkeys": ("account_passkeys.html", PASSKEYS | {"suggestion": "Firefox on Linux"}),
    "account-passkeys-nowhere": (
        "account_passkeys.html",
        PASSKEYS | {"passkeys": [], "passkey": None, "issuer": "http://127.0.0.1:8400", "done": "It is removed."},
    ),
    "message": (
        "message.html",
        SITE | {"title": "This page has expired", "text": "Go back to the app and start again."},
    ),
    "form-post": (
        "form_post.html",
        SITE
        | {
            "client": CLIENT,
            "action": "https://guests.example/callback",
            "fields": [("code", "abc"), ("state", "xyz")],
        },
    ),
}
