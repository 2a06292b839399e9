"""What each effect does to the tables of PostgreSQL, and how the effects of one commit become one statement.

The parts of a statement all see the database as it was before it. So effects that touch the same rows cannot share one:
they go one after another, in a transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.core.records import RefreshToken
from innkeeper.issuer.store.decoding import encode
from innkeeper.issuer.store.port import CLIENT_KEPT, GRANT_KEPT, GRANT_SLACK
from innkeeper.issuer.store.tables import SHELVES


class Part(NamedTuple):
    """A change: its SQL, in which $1 is the realm; its values from $2 on; whether it must find exactly one row."""

    sql: str
    values: tuple[object, ...]
    must: bool = False


Rows = tuple[str, Hashable]
"""Rows of a table that an effect touches: one, by its key, or any of them (None)."""


class Step(NamedTuple):
    """One effect: its changes, the rows that they touch, whether it ends grants, whether it needs a living one."""

    parts: tuple[Part, ...]
    rows: tuple[Rows, ...]
    revokes: bool = False
    needs_grant: bool = False


def steps_of(effects: Sequence[fx.Effect]) -> Sequence[Step]:
    """What the effects do, in their order. A grant that comes with its refresh token is written once, with its end."""
    ends = _ends(effects)
    return [_step(effect, ends) for effect in effects]


def are_independent(steps: Sequence[Step]) -> bool:
    """Whether the effects may share one statement, none of them seeing what another does."""
    if len(steps) > _MOST_TOGETHER:
        return False
    if any(one.needs_grant for one in steps) and any(one.revokes for one in steps):
        return False
    return not any(_meet(one.rows, other.rows) for one, other in combinations(steps, 2))


def place_in_a_crowd(effects: Sequence[fx.Effect]) -> str | None:
    """Where these effects stand among others of their kind that share a transaction with them; None where they have to be alone.

    They may share one if only one row of it can be another's at the same time: a crowd takes such rows in an order that is
    everybody's, so that no two crowds wait for each other.
    """
    there = [one for one in effects if not isinstance(one, _NEW)]
    if not there:
        return ""
    return _row_of(there[0]) if len(there) == 1 else None


def joined(parts: Sequence[Part]) -> str:
    """One statement of all parts. Where one that must find a row finds none, it fails as a division by zero."""
    key = tuple(part.sql for part in parts), tuple(part.must for part in parts)
    known = _statements.get(key)
    if known is None:
        if len(_statements) >= _STATEMENTS_KEPT:
            _statements.clear()
        known = _statements[key] = _join(parts)
    return known


def _row_of(effect: fx.Effect) -> str | None:
    """The one row of others' that this effect touches; None where there may be several."""
    if isinstance(effect, (fx.SpendCode, fx.SpendRefreshToken)):
        return effect.digest.hex()
    if isinstance(effect, fx.AddOnce):
        return f"{effect.kind} {effect.key}"
    return effect.jti if isinstance(effect, fx.RevokeToken) else None


def _ends(effects: Sequence[fx.Effect]) -> dict[str, int]:
    """When grants that are added here end, by what is added here after them."""
    ends: dict[str, int] = {}
    for effect in effects:
        if isinstance(effect, fx.AddGrant):
            ends[effect.grant.id] = max(ends.get(effect.grant.id, 0), effect.grant.created_at + GRANT_KEPT)
        elif isinstance(effect, fx.AddRefreshToken) and _outlives(ends, effect.token):
            ends[effect.token.grant_id] = effect.token.expires_at + GRANT_SLACK
    return ends


def _outlives(ends: dict[str, int], token: RefreshToken) -> bool:
    return ends.get(token.grant_id, token.expires_at) < token.expires_at


def _meet(some: Iterable[Rows], others: Iterable[Rows]) -> bool:
    return any(
        table == other and (key is None or of_other is None or key == of_other)
        for table, key in some
        for other, of_other in others
    )


def _join(parts: Sequence[Part]) -> str:
    written, values = [], 1
    for number, part in enumerate(parts):
        returning = "" if " RETURNING " in part.sql else " RETURNING 1"
        written.append(f"p{number} AS ({_renumbered(part.sql, values - 1)}{returning})")
        values += len(part.values)
    found = [f"1 / (SELECT count(*) FROM p{number})" for number, part in enumerate(parts) if part.must]  # noqa: S608
    return f"WITH {', '.join(written)} SELECT {', '.join(found) or '1'}"


def _renumbered(sql: str, by: int) -> str:
    return re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + (by if found[1] != '1' else 0)}", sql)


def _step(effect: fx.Effect, ends: dict[str, int]) -> Step:
    if isinstance(effect, fx.AddGrant):
        return _add_grant(effect, ends)
    if isinstance(effect, fx.AddRefreshToken):
        return _add_refresh_token(effect, ends)
    return _STEPS[type(effect)](effect)


def _put_client(effect: fx.PutClient) -> Step:
    """A new client comes with the time at which it is forgotten unless it was used; null for never."""
    client = effect.client
    rows: tuple[Rows, ...] = (("clients", client.id), ("notes", None))
    if effect.new:
        values = (client.id, client.unused_until or None, encode(client))
        insert = "INSERT INTO clients VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
        return Step((Part(insert, values, must=True), COUNT_CHANGE), rows)
    update = "UPDATE clients SET record=$3 WHERE realm=$1 AND id=$2"
    return Step((Part(update, (client.id, encode(client)), must=True), COUNT_CHANGE), rows)


def _remove_client(effect: fx.RemoveClient) -> Step:
    client = (effect.client_id,)
    return Step(
        (
            Part("DELETE FROM clients WHERE realm=$1 AND id=$2", client),
            Part("DELETE FROM consents WHERE realm=$1 AND client_id=$2", client),
            Part(
                "UPDATE grants SET revoked_at=$2 WHERE realm=$1 AND client_id=$3 AND revoked_at IS NULL",
                (effect.at, *client),
            ),
            COUNT_CHANGE,
        ),
        (("clients", effect.client_id), ("consents", None), ("grants", None), ("notes", None)),
        revokes=True,
    )


def _put_person(effect: fx.PutPerson) -> Step:
    one = effect.person
    rows: tuple[Rows, ...] = (("people", None),)
    values = (one.sub, one.username, encode(one))
    if effect.new:
        return Step(
            (Part("INSERT INTO people VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", values, must=True),), rows
        )
    sql = (
        "UPDATE people SET username=$3, record=$4 WHERE realm=$1 AND sub=$2 AND NOT EXISTS "
        "(SELECT 1 FROM people other WHERE other.realm=$1 AND lower(other.username)=lower($3) AND other.sub <> $2)"
    )
    return Step((Part(sql, values, must=True),), rows)


def _remove_person(effect: fx.RemovePerson) -> Step:
    sub, when = (effect.sub,), (effect.at, effect.sub)
    parts = (
        Part("DELETE FROM people WHERE realm=$1 AND sub=$2", sub),
        Part("DELETE FROM consents WHERE realm=$1 AND sub=$2", sub),
        Part("DELETE FROM credentials WHERE realm=$1 AND sub=$2", sub),
        Part("UPDATE sessions SET ended_at=$2 WHERE realm=$1 AND sub=$3 AND ended_at IS NULL", when),
        Part("UPDATE grants SET revoked_at=$2 WHERE realm=$1 AND sub=$3 AND revoked_at IS NULL", when),
    )
    tables = ("people", "consents", "credentials", "sessions", "grants")
    return Step(parts, tuple((table, None) for table in tables), revokes=True)


def _put_resource(effect: fx.PutResource) -> Step:
    one = effect.resource
    rows: tuple[Rows, ...] = (("resources", None), ("notes", None))
    sql = f"{NEW_RESOURCE} DO NOTHING" if effect.new else "UPDATE resources SET record=$3 WHERE realm=$1 AND uri=$2"
    return Step((Part(sql, (one.uri, encode(one)), must=True), COUNT_CHANGE), rows)


def _remove_resource(effect: fx.RemoveResource) -> Step:
    part = Part("DELETE FROM resources WHERE realm=$1 AND uri=$2", (effect.uri,))
    return Step((part, COUNT_CHANGE), (("resources", effect.uri), ("notes", None)))


def _put_key(effect: fx.PutKey) -> Step:
    rows: tuple[Rows, ...] = (("signing_keys", effect.kid), ("notes", None))
    return Step((Part(PUT_KEY, (effect.kid, effect.record)), COUNT_CHANGE), rows)


def _unchanged(effect: fx.Unchanged) -> Step:
    """Writes the row as it is: whoever else is about to change it waits, and then finds that it lost, or that we did."""
    table, column = SHELVES[effect.shelf]
    sql = f"UPDATE {table} SET record=record WHERE realm=$1 AND {column}=$2 AND record=$3"  # noqa: S608
    return Step((Part(sql, (effect.key, effect.record), must=True),), ((table, None),))


def _tell_nodes(_: fx.TellNodes) -> Step:
    return Step((COUNT_CHANGE,), (("notes", None),))


def _add_code(effect: fx.AddCode) -> Step:
    code = effect.code
    sql = "INSERT INTO codes VALUES ($1, $2, $3, NULL, $4)"
    return Step((Part(sql, (code.digest, code.expires_at, encode(code))),), (("codes", code.digest),))


def _spend_code(effect: fx.SpendCode) -> Step:
    sql = "UPDATE codes SET spent_at=$2 WHERE realm=$1 AND digest=$3 AND spent_at IS NULL"
    return Step((Part(sql, (effect.at, effect.digest), must=True),), (("codes", effect.digest),))


def _add_grant(effect: fx.AddGrant, ends: dict[str, int]) -> Step:
    one = effect.grant
    sql = (
        "INSERT INTO grants VALUES ($1, $2, $3, $4, $5, $6, NULL, $7) "
        "ON CONFLICT (realm, id) DO UPDATE SET expires_at=greatest(grants.expires_at, excluded.expires_at)"
    )
    values = (one.id, one.sub, one.client_id, one.session_id, ends[one.id], encode(one))
    kept = one.created_at + GRANT_KEPT + CLIENT_KEPT
    used = f"UPDATE clients SET unused_until=$3 WHERE realm=$1 AND id IN ({_LATELY_UNUSED})"  # noqa: S608
    rows: tuple[Rows, ...] = (("grants", one.id), ("clients", one.client_id))
    return Step((Part(sql, values), Part(used, (one.client_id, kept, kept - GRANT_SLACK))), rows)


_LATELY_UNUSED = "SELECT id FROM clients WHERE realm=$1 AND id=$2 AND unused_until < $4 FOR UPDATE SKIP LOCKED"
"""Whoever is at the client's row now says that it is used, or changes it; nobody waits for that."""


def _revoke_grant(effect: fx.RevokeGrant) -> Step:
    sql = "UPDATE grants SET revoked_at=$2 WHERE realm=$1 AND id=$3 AND revoked_at IS NULL"
    return Step((Part(sql, (effect.at, effect.grant_id)),), (("grants", effect.grant_id),), revokes=True)


def _add_refresh_token(effect: fx.AddRefreshToken, ends: dict[str, int]) -> Step:
    one = effect.token
    insert = "INSERT INTO refresh_tokens VALUES ($1, $2, $3, $4, NULL, NULL)"
    parts = (Part(insert, (one.digest, one.grant_id, one.expires_at)),)
    if one.grant_id in ends:
        return Step(parts, (("refresh_tokens", one.digest),))
    keep = "UPDATE grants SET expires_at=$2 WHERE realm=$1 AND id=$3 AND expires_at < $4"
    kept = Part(keep, (one.expires_at + GRANT_SLACK, one.grant_id, one.expires_at))
    return Step((*parts, kept), (("refresh_tokens", one.digest), ("grants", one.grant_id)))


def _spend_refresh_token(effect: fx.SpendRefreshToken) -> Step:
    sql = (
        "UPDATE refresh_tokens SET spent_at=$2, successor=$3 WHERE realm=$1 AND digest=$4 AND spent_at IS NULL "
        "AND EXISTS (SELECT 1 FROM grants WHERE realm=$1 AND id=grant_id AND revoked_at IS NULL)"
    )
    part = Part(sql, (effect.at, effect.successor, effect.digest), must=True)
    return Step((part,), (("refresh_tokens", effect.digest),), needs_grant=True)


def _revoke_token(effect: fx.RevokeToken) -> Step:
    sql = "INSERT INTO revoked_tokens VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    return Step((Part(sql, (effect.jti, effect.expires_at)),), (("revoked_tokens", effect.jti),))


def _add_session(effect: fx.AddSession) -> Step:
    one = effect.session
    sql = "INSERT INTO sessions VALUES ($1, $2, $3, $4, $5, NULL, $6)"
    return Step((Part(sql, (one.digest, one.id, one.sub, one.expires_at, encode(one))),), (("sessions", one.id),))


def _change_session(effect: fx.ChangeSession) -> Step:
    one = effect.session
    sql = (
        "UPDATE sessions SET digest=$2, expires_at=$3, record=$4 "
        "WHERE realm=$1 AND id=$5 AND sub=$6 AND ended_at IS NULL"
    )
    part = Part(sql, (one.digest, one.expires_at, encode(one), one.id, one.sub), must=True)
    return Step((part,), (("sessions", one.id),))


def _end_session(effect: fx.EndSession) -> Step:
    session = (effect.at, effect.session_id)
    return Step(
        (
            Part("UPDATE sessions SET ended_at=$2 WHERE realm=$1 AND id=$3 AND ended_at IS NULL", session),
            Part(
                "UPDATE grants SET revoked_at=$2 "
                "WHERE realm=$1 AND session_id=$3 AND session_id <> '' AND revoked_at IS NULL",
                session,
            ),
        ),
        (("sessions", effect.session_id), ("grants", None)),
        revokes=True,
    )


def _give_consent(effect: fx.GiveConsent) -> Step:
    one = effect.consent
    sql = (
        "INSERT INTO consents VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (realm, sub, client_id) DO UPDATE SET record=excluded.record"
    )
    return Step((Part(sql, (one.sub, one.client_id, encode(one))),), (("consents", (one.sub, one.client_id)),))


def _take_back_consent(effect: fx.TakeBackConsent) -> Step:
    who = (effect.sub, effect.client_id)
    end = "UPDATE grants SET revoked_at=$2 WHERE realm=$1 AND sub=$3 AND client_id=$4 AND revoked_at IS NULL"
    return Step(
        (
            Part("DELETE FROM consents WHERE realm=$1 AND sub=$2 AND client_id=$3", who),
            Part(end, (effect.at, *who)),
        ),
        (("consents", who), ("grants", None)),
        revokes=True,
    )


def _add_once(effect: fx.AddOnce) -> Step:
    return _new_entry(effect.kind, effect.key, effect.expires_at, b"")


def _put_entry(effect: fx.PutEntry) -> Step:
    if effect.version == 0:
        return _new_entry(effect.kind, effect.key, effect.expires_at, effect.record)
    sql = (
        "UPDATE entries SET record=$2, expires_at=$3, version=version+1 "
        "WHERE realm=$1 AND kind=$4 AND key=$5 AND version=$6"
    )
    values = (effect.record, effect.expires_at, effect.kind, effect.key, effect.version)
    return Step((Part(sql, values, must=True),), (("entries", (effect.kind, effect.key)),))


def _new_entry(kind: str, key: str, expires_at: int, record: bytes) -> Step:
    sql = "INSERT INTO entries VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT DO NOTHING"
    return Step((Part(sql, (kind, key, expires_at, record), must=True),), (("entries", (kind, key)),))


def _drop_entry(effect: fx.DropEntry) -> Step:
    sql = "DELETE FROM entries WHERE realm=$1 AND kind=$2 AND key=$3 AND version=$4"
    part = Part(sql, (effect.kind, effect.key, effect.version), must=True)
    return Step((part,), (("entries", (effect.kind, effect.key)),))


def _put_credential(effect: fx.PutCredential) -> Step:
    rows: tuple[Rows, ...] = (("credentials", (effect.kind, effect.id)),)
    whose = (effect.kind, effect.id, effect.sub, effect.record)
    if effect.before is not None:
        change = "UPDATE credentials SET record=$5 WHERE realm=$1 AND kind=$2 AND id=$3 AND sub=$4 AND record=$6"
        return Step((Part(change, (*whose, effect.before), must=True),), rows)
    put = (
        "INSERT INTO credentials VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (realm, kind, id) DO UPDATE SET record=excluded.record WHERE credentials.sub=excluded.sub"
    )
    return Step((Part(put, whose, must=True),), rows)


def _remove_credential(effect: fx.RemoveCredential) -> Step:
    sql = "DELETE FROM credentials WHERE realm=$1 AND kind=$2 AND id=$3 AND sub=$4"
    rows: tuple[Rows, ...] = (("credentials", (effect.kind, effect.id)),)
    return Step((Part(sql, (effect.kind, effect.id, effect.sub)),), rows)


_STEPS: dict[type[fx.Effect], Callable[[Any], Step]] = {
    fx.PutClient: _put_client,
    fx.RemoveClient: _remove_client,
    fx.PutPerson: _put_person,
    fx.RemovePerson: _remove_person,
    fx.AddCode: _add_code,
    fx.SpendCode: _spend_code,
    fx.RevokeGrant: _revoke_grant,
    fx.SpendRefreshToken: _spend_refresh_token,
    fx.RevokeToken: _revoke_token,
    fx.AddSession: _add_session,
    fx.ChangeSession: _change_session,
    fx.EndSession: _end_session,
    fx.GiveConsent: _give_consent,
    fx.TakeBackConsent: _take_back_consent,
    fx.AddOnce: _add_once,
    fx.PutEntry: _put_entry,
    fx.DropEntry: _drop_entry,
    fx.PutCredential: _put_credential,
    fx.RemoveCredential: _remove_credential,
    fx.PutResource: _put_resource,
    fx.RemoveResource: _remove_resource,
    fx.PutKey: _put_key,
    fx.Unchanged: _unchanged,
    fx.TellNodes: _tell_nodes,
}

NEW_RESOURCE = (
    "INSERT INTO resources SELECT $1, $2, coalesce(max(position) + 1, 0), $3 FROM resources WHERE realm=$1 ON CONFLICT"
)
"""A resource comes after those that are there; what is to happen where it is one of them has to follow."""

PUT_KEY = "INSERT INTO signing_keys VALUES ($1, $2, $3) ON CONFLICT (realm, kid) DO UPDATE SET record=excluded.record"

CHANNEL = "innkeeper"
"""Where nodes hear that something changed that they keep in memory; written out in ``COUNT_CHANGE``."""

COUNT_CHANGE = Part(
    "INSERT INTO notes VALUES ('', 'changes', '1') "
    "ON CONFLICT (realm, name) DO UPDATE SET text=(notes.text::bigint + 1)::text "
    "RETURNING pg_notify('innkeeper', '')",
    (),
)
"""Done whenever something changes that nodes keep in memory, so that each of them notices."""

_NEW = (fx.AddCode, fx.AddGrant, fx.AddRefreshToken)
"""Effects whose rows nobody else has."""

_MOST_TOGETHER = 8
"""Effects in one statement; more are rare, and each number of them would be another statement to prepare."""

_STATEMENTS_KEPT = 256

_statements: dict[tuple[tuple[str, ...], tuple[bool, ...]], str] = {}
