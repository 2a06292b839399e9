"""Graph's applications: their registration, passwords, keys, owners and federated credentials."""

from __future__ import annotations

import secrets
import uuid
from base64 import b64decode
from binascii import Error as NotBase64
from hashlib import sha1
from typing import Any

import msgspec

from innkeeper.issuer.core.entra import documents
from innkeeper.issuer.core.entra.documents import APPLICATION, Document, bad
from innkeeper.issuer.desk.entra.books import APPLICATIONS, Change, Kept, Page, written
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.desk.realm import digest
from innkeeper.issuer.dialects.entra.graph import odata
from innkeeper.issuer.dialects.entra.graph.deleted import binned
from innkeeper.issuer.dialects.entra.graph.odata import Call, Refused
from innkeeper.issuer.dialects.entra.graph.principals import without_principal
from innkeeper.protocol.exchange import Reply

OWNERS, FEDERATED = "owners", "federatedIdentityCredentials"
_OURS = ("id", "appId", "createdDateTime", "passwordCredentials")
"""Properties that the directory says itself."""


class Applications:
    """``/applications``, by object id, or by application id as ``applications(appId='…')``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answer(self, call: Call) -> Reply:
        page = await self._desk.books.page()
        if len(call.segments) == 1:
            return (
                await self._create(call)
                if call.method == "POST"
                else odata.many(call, map(shown, page.all(APPLICATIONS)))
            )
        key = found(page, call.segments[1])
        if len(call.segments) == 2:
            return await self._one(call, page, key)
        return await self._below(call, page, key)

    async def _one(self, call: Call, page: Page, key: str) -> Reply:
        if call.method == "PATCH":
            await self._desk.books.change(lambda page: (None, [self._patched(call, page, key)]))
            return odata.nothing()
        if call.method == "DELETE":
            await self._desk.books.change(lambda page: (None, _without(page, key, call.now)))
            return odata.nothing()
        return odata.one(call, shown(_kept(page, key)))

    async def _create(self, call: Call) -> Reply:
        key = str(uuid.uuid4())

        def decide(page: Page) -> tuple[Kept, list[Change]]:
            kept = self._made(call, page, key)
            return kept, [Change(APPLICATIONS, key, kept)]

        return odata.one(call, shown(await self._desk.books.change(decide)), 201)

    def _made(self, call: Call, page: Page, key: str) -> Kept:
        said = {name: value for name, value in call.body.items() if "@odata" not in name and name not in _OURS}
        own = {"id": key, "appId": str(uuid.uuid4()), "createdDateTime": written(call.now)}
        document = {**documents.whole(said, APPLICATION), **own, "publisherDomain": self._desk.domains[0]}
        _judge(document, None, page, key)
        owners = odata.bound(call.body, OWNERS) or [str(call.caller.get("oid", ""))]
        kept = with_keys(Kept(document, owners=tuple(owners)), said)
        for one in call.body.get("passwordCredentials") or []:
            kept, _ = with_password(kept, one, call.now)
        return kept

    def _patched(self, call: Call, page: Page, key: str) -> Change:
        kept = _kept(page, key)
        said = {name: value for name, value in call.body.items() if name not in _OURS and "@odata" not in name}
        document = documents.merged(documents.whole(kept.document, APPLICATION), said)
        _judge(document, kept.document, page, key)
        changed = msgspec.structs.replace(kept, document=document)
        return Change(APPLICATIONS, key, with_keys(changed, said) if "keyCredentials" in said else changed)

    async def _below(self, call: Call, page: Page, key: str) -> Reply:
        what = call.segments[2]
        if what == OWNERS:
            return await self._owners(call, page, key)
        if what == FEDERATED:
            return await self._federated(call, page, key)
        if what == "addPassword" and call.method == "POST":
            return await self._add_password(call, key)
        if what == "removePassword" and call.method == "POST":
            gone = call.text("keyId")
            await self._desk.books.change(lambda page: (None, [_without_password(page, key, gone)]))
            return odata.nothing()
        raise odata.not_found(call.segments[2])

    async def _add_password(self, call: Call, key: str) -> Reply:
        said = call.body.get("passwordCredential") or {}

        def decide(page: Page) -> tuple[Document, list[Change]]:
            kept, told = with_password(_kept(page, key), said, call.now)
            return told, [Change(APPLICATIONS, key, kept)]

        told = await self._desk.books.change(decide)
        return odata.reply({"@odata.context": f"{call.base}/$metadata#microsoft.graph.passwordCredential", **told})

    async def _owners(self, call: Call, page: Page, key: str) -> Reply:
        kept = _kept(page, key)
        if call.method == "GET":
            return odata.many(
                call, [{"@odata.type": "#microsoft.graph.servicePrincipal", "id": one} for one in kept.owners]
            )
        if call.method == "POST":
            owners = (*kept.owners, odata.reference(call))
        else:
            owners = tuple(one for one in kept.owners if one != call.segments[3])
        changed = msgspec.structs.replace(kept, owners=tuple(dict.fromkeys(owners)))
        await self._desk.books.change(lambda _: (None, [Change(APPLICATIONS, key, changed)]))
        return odata.nothing()

    async def _federated(self, call: Call, page: Page, key: str) -> Reply:
        kept = _kept(page, key)
        if len(call.segments) == 3:
            if call.method != "POST":
                return odata.many(call, kept.federated)
            made = {**_federated(call.body), "id": str(uuid.uuid4())}
            await self._keep_federated(key, (*kept.federated, made))
            return odata.one(call, made, 201)
        name = call.segments[3]
        one = next((one for one in kept.federated if name in (one["id"], one["name"])), None)
        if one is None:
            raise odata.not_found(name)
        rest = tuple(other for other in kept.federated if other is not one)
        if call.method == "DELETE":
            await self._keep_federated(key, rest)
        elif call.method == "PATCH":
            await self._keep_federated(key, (*rest, {**one, **_federated({**one, **call.body})}))
        return odata.one(call, one) if call.method == "GET" else odata.nothing()

    async def _keep_federated(self, key: str, federated: tuple[Document, ...]) -> None:
        def decide(page: Page) -> tuple[None, list[Change]]:
            return None, [Change(APPLICATIONS, key, msgspec.structs.replace(_kept(page, key), federated=federated))]

        await self._desk.books.change(decide)


def found(page: Page, name: str) -> str:
    """The object id that a path names. Raises ``Refused``."""
    if name.startswith("(appId=") or page.get(APPLICATIONS, name) is None:
        app_id = name.strip("()").removeprefix("appId=").strip("'")
        for kept in page.all(APPLICATIONS):
            if name.startswith("(") and kept.document["appId"] == app_id:
                return str(kept.document["id"])
        raise odata.not_found(name.strip("()"))
    return name


def shown(kept: Kept) -> Document:
    """An application as it is read: with all its properties, and no secret."""
    return documents.whole(kept.document, APPLICATION)


def _kept(page: Page, key: str) -> Kept:
    kept = page.get(APPLICATIONS, key)
    if kept is None:
        raise odata.not_found(key)
    return kept


def _judge(document: Document, before: Document | None, page: Page, key: str) -> None:
    others = (one.document for one in page.all(APPLICATIONS) if one.document["id"] != key)
    taken = (uri for other in others for uri in other.get("identifierUris", []))
    refusal = documents.why_no_application(document, before, taken)
    if refusal is not None:
        raise Refused(refusal)


def with_password(kept: Kept, said: Document, now: int) -> tuple[Kept, Document]:
    """The application with a new secret, and the secret as it is told: this once."""
    secret = new_secret()
    start = said.get("startDateTime") or written(now)
    known = {
        "customKeyIdentifier": None,
        "displayName": said.get("displayName"),
        "endDateTime": said.get("endDateTime") or written(now + _TWO_YEARS),
        "hint": secret[:3],
        "keyId": str(uuid.uuid4()),
        "secretText": None,
        "startDateTime": start,
    }
    passwords = [*kept.document.get("passwordCredentials", []), known]
    changed = msgspec.structs.replace(
        kept,
        document={**kept.document, "passwordCredentials": passwords},
        secrets={**kept.secrets, str(known["keyId"]): digest(secret)},
    )
    return changed, {**known, "secretText": secret}


_TWO_YEARS = 2 * 365 * 86400


def new_secret() -> str:
    """A secret of forty letters in the cloud's shape."""
    drawn = secrets.token_urlsafe(40).replace("-", "x").replace("_", "y")
    return f"{drawn[:3]}8Q~{drawn[3:37]}"


def _without_password(page: Page, key: str, gone: str) -> Change:
    kept = _kept(page, key)
    left = [one for one in kept.document.get("passwordCredentials", []) if one["keyId"] != gone]
    if len(left) == len(kept.document.get("passwordCredentials", [])):
        raise Refused(bad("No password credential found with keyId.", gone))
    secrets_left = {name: value for name, value in kept.secrets.items() if name != gone}
    document = {**kept.document, "passwordCredentials": left}
    return Change(APPLICATIONS, key, msgspec.structs.replace(kept, document=document, secrets=secrets_left))


def with_keys(kept: Kept, said: Document) -> Kept:
    """The application with the certificates that were sent; those named by keyId alone stay as they were."""
    shown, certificates = [], {}
    for one in said.get("keyCredentials") or []:
        key_id = one.get("keyId") or str(uuid.uuid4())
        der = _der(one.get("key")) or kept.certificates.get(key_id, b"")
        if not der:
            raise Refused(bad("Key credential end date is invalid or its key is missing.", key_id))
        certificates[key_id] = der
        thumbprint = sha1(der, usedforsecurity=False).hexdigest().upper()
        shown.append({**one, "keyId": key_id, "key": None, "customKeyIdentifier": thumbprint})
    return msgspec.structs.replace(kept, document={**kept.document, "keyCredentials": shown}, certificates=certificates)


def _der(text: Any) -> bytes:
    """The certificate in a key: base64 of its DER, or of its PEM, which is how some clients send it."""
    if not isinstance(text, str):
        return b""
    try:
        data = b64decode(text)
        if data.startswith(b"-----BEGIN"):
            lines = data.decode("ascii").strip().splitlines()
            data = b64decode("".join(line for line in lines if not line.startswith("-----")))
    except (NotBase64, ValueError):
        return b""
    return data


def _federated(said: Document) -> Document:
    """A federated credential of which everything was said. Raises ``Refused``."""
    for name in ("name", "issuer", "subject"):
        if not isinstance(said.get(name), str) or not said[name]:
            raise Refused(bad(f"Invalid value specified for property '{name}' of resource.", str(said.get(name))))
    return {
        "name": said["name"],
        "issuer": said["issuer"],
        "subject": said["subject"],
        "description": said.get("description"),
        "audiences": said.get("audiences") or ["api://AzureADTokenExchange"],
    }


def _without(page: Page, key: str, now: int) -> list[Change]:
    """An application goes, and its service principal with it."""
    application = _kept(page, key)
    principal = without_principal(page, str(application.document["appId"]), now)
    return [*principal, Change(APPLICATIONS, key, None), binned(APPLICATIONS, application, now)]
