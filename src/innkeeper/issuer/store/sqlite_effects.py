"""What each effect does to the tables of a SQLite file. A condition that is gone raises ``Lost``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.store.port import CLIENT_KEPT, GRANT_KEPT, GRANT_SLACK
from innkeeper.issuer.store.sqlite_writer import Work
from innkeeper.issuer.store.tables import SHELVES

_encode = msgspec.msgpack.encode


def all_of(realm: str, effects: Sequence[fx.Effect]) -> Work:
    """A job for the writer: every effect in order, or none. Raises ``Lost`` in the job where a condition is gone."""

    def work(db: sqlite3.Connection) -> None:
        for effect in effects:
            _APPLY[type(effect)](db.execute, realm, effect)

    return work


Execute = Callable[..., sqlite3.Cursor]


def put_client(run: Execute, realm: str, client: Client) -> None:
    """A new client comes with the time at which it is forgotten unless it was used; null for never."""
    run(COUNT_CHANGE)
    sql = "INSERT INTO clients VALUES (?,?,?,?) ON CONFLICT (realm, id) DO UPDATE SET record=excluded.record"
    run(sql, (realm, client.id, client.unused_until or None, _encode(client)))


def _put_client(run: Execute, realm: str, effect: fx.PutClient) -> None:
    found = run("SELECT 1 FROM clients WHERE realm=? AND id=?", (realm, effect.client.id)).fetchone()
    if (found is None) is not effect.new:
        raise fx.Lost
    put_client(run, realm, effect.client)


def _remove_client(run: Execute, realm: str, effect: fx.RemoveClient) -> None:
    run(COUNT_CHANGE)
    run("DELETE FROM clients WHERE realm=? AND id=?", (realm, effect.client_id))
    run("DELETE FROM consents WHERE realm=? AND client_id=?", (realm, effect.client_id))
    sql = "UPDATE grants SET revoked_at=? WHERE realm=? AND client_id=? AND revoked_at IS NULL"
    run(sql, (effect.at, realm, effect.client_id))


def _put_person(run: Execute, realm: str, effect: fx.PutPerson) -> None:
    one, record = effect.person, _encode(effect.person)
    if effect.new:
        _won(run("INSERT OR IGNORE INTO people VALUES (?,?,?,?)", (realm, one.sub, one.username, record)))
        return
    sql = "UPDATE OR IGNORE people SET username=?, record=? WHERE realm=? AND sub=?"
    _won(run(sql, (one.username, record, realm, one.sub)))


def _remove_person(run: Execute, realm: str, effect: fx.RemovePerson) -> None:
    who, when = (realm, effect.sub), (effect.at, realm, effect.sub)
    run("DELETE FROM people WHERE realm=? AND sub=?", who)
    run("DELETE FROM consents WHERE realm=? AND sub=?", who)
    run("DELETE FROM credentials WHERE realm=? AND sub=?", who)
    run("UPDATE sessions SET ended_at=? WHERE realm=? AND sub=? AND ended_at IS NULL", when)
    run("UPDATE grants SET revoked_at=? WHERE realm=? AND sub=? AND revoked_at IS NULL", when)


def _put_resource(run: Execute, realm: str, effect: fx.PutResource) -> None:
    run(COUNT_CHANGE)
    one, record = effect.resource, _encode(effect.resource)
    if effect.new:
        _won(run(f"{NEW_RESOURCE} DO NOTHING", (realm, one.uri, record)))
        return
    _won(run("UPDATE resources SET record=? WHERE realm=? AND uri=?", (record, realm, one.uri)))


def _remove_resource(run: Execute, realm: str, effect: fx.RemoveResource) -> None:
    run(COUNT_CHANGE)
    run("DELETE FROM resources WHERE realm=? AND uri=?", (realm, effect.uri))


def _put_key(run: Execute, realm: str, effect: fx.PutKey) -> None:
    run(COUNT_CHANGE)
    run("INSERT OR REPLACE INTO signing_keys VALUES (?,?,?)", (realm, effect.kid, effect.record))


def _unchanged(run: Execute, realm: str, effect: fx.Unchanged) -> None:
    table, column = SHELVES[effect.shelf]
    sql = f"SELECT 1 FROM {table} WHERE realm=? AND {column}=? AND record=?"  # noqa: S608
    if run(sql, (realm, effect.key, effect.record)).fetchone() is None:
        raise fx.Lost


def _tell_nodes(run: Execute, _: str, __: fx.TellNodes) -> None:
    run(COUNT_CHANGE)


def _add_code(run: Execute, realm: str, effect: fx.AddCode) -> None:
    code = effect.code
    run("INSERT INTO codes VALUES (?,?,?,NULL,?)", (realm, code.digest, code.expires_at, _encode(code)))


def _spend_code(run: Execute, realm: str, effect: fx.SpendCode) -> None:
    sql = "UPDATE codes SET spent_at=? WHERE realm=? AND digest=? AND spent_at IS NULL"
    _won(run(sql, (effect.at, realm, effect.digest)))


def _add_grant(run: Execute, realm: str, effect: fx.AddGrant) -> None:
    one = effect.grant
    values = (realm, one.id, one.sub, one.client_id, one.session_id, one.created_at + GRANT_KEPT, None, _encode(one))
    run("INSERT INTO grants VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", values)
    kept = one.created_at + GRANT_KEPT + CLIENT_KEPT
    used = "UPDATE clients SET unused_until=? WHERE realm=? AND id=? AND unused_until < ?"
    run(used, (kept, realm, one.client_id, kept - GRANT_SLACK))


def _revoke_grant(run: Execute, realm: str, effect: fx.RevokeGrant) -> None:
    sql = "UPDATE grants SET revoked_at=? WHERE realm=? AND id=? AND revoked_at IS NULL"
    run(sql, (effect.at, realm, effect.grant_id))


def _add_refresh_token(run: Execute, realm: str, effect: fx.AddRefreshToken) -> None:
    one = effect.token
    run("INSERT INTO refresh_tokens VALUES (?,?,?,?,NULL,NULL)", (realm, one.digest, one.grant_id, one.expires_at))
    sql = "UPDATE grants SET expires_at=? WHERE realm=? AND id=? AND expires_at < ?"
    run(sql, (one.expires_at + GRANT_SLACK, realm, one.grant_id, one.expires_at))


def _spend_refresh_token(run: Execute, realm: str, effect: fx.SpendRefreshToken) -> None:
    sql = (
        "UPDATE refresh_tokens SET spent_at=?, successor=? WHERE realm=? AND digest=? AND spent_at IS NULL "
        "AND EXISTS (SELECT 1 FROM grants WHERE realm=?3 AND id=grant_id AND revoked_at IS NULL)"
    )
    _won(run(sql, (effect.at, effect.successor, realm, effect.digest)))


def _revoke_token(run: Execute, realm: str, effect: fx.RevokeToken) -> None:
    run("INSERT OR IGNORE INTO revoked_tokens VALUES (?,?,?)", (realm, effect.jti, effect.expires_at))


def _add_session(run: Execute, realm: str, effect: fx.AddSession) -> None:
    one = effect.session
    values = (realm, one.digest, one.id, one.sub, one.expires_at, _encode(one))
    run("INSERT INTO sessions VALUES (?,?,?,?,?,NULL,?)", values)


def _change_session(run: Execute, realm: str, effect: fx.ChangeSession) -> None:
    one = effect.session
    sql = "UPDATE sessions SET digest=?, expires_at=?, record=? WHERE realm=? AND id=? AND sub=? AND ended_at IS NULL"
    _won(run(sql, (one.digest, one.expires_at, _encode(one), realm, one.id, one.sub)))


def _end_session(run: Execute, realm: str, effect: fx.EndSession) -> None:
    ends = (effect.at, realm, effect.session_id)
    run("UPDATE sessions SET ended_at=? WHERE realm=? AND id=? AND ended_at IS NULL", ends)
    run(_REVOKE_SESSIONS_GRANTS, ends)


def _give_consent(run: Execute, realm: str, effect: fx.GiveConsent) -> None:
    one = effect.consent
    run("INSERT OR REPLACE INTO consents VALUES (?,?,?,?)", (realm, one.sub, one.client_id, _encode(one)))


def _take_back_consent(run: Execute, realm: str, effect: fx.TakeBackConsent) -> None:
    who = (realm, effect.sub, effect.client_id)
    run("DELETE FROM consents WHERE realm=? AND sub=? AND client_id=?", who)
    sql = "UPDATE grants SET revoked_at=? WHERE realm=? AND sub=? AND client_id=? AND revoked_at IS NULL"
    run(sql, (effect.at, *who))


def _add_once(run: Execute, realm: str, effect: fx.AddOnce) -> None:
    values = (realm, effect.kind, effect.key, effect.expires_at)
    _won(run("INSERT OR IGNORE INTO entries VALUES (?,?,?,?,1,x'')", values))


def _put_entry(run: Execute, realm: str, effect: fx.PutEntry) -> None:
    if effect.version == 0:
        values = (realm, effect.kind, effect.key, effect.expires_at, effect.record)
        _won(run("INSERT OR IGNORE INTO entries VALUES (?,?,?,?,1,?)", values))
        return
    sql = (
        "UPDATE entries SET record=?, expires_at=?, version=version+1 WHERE realm=? AND kind=? AND key=? AND version=?"
    )
    _won(run(sql, (effect.record, effect.expires_at, realm, effect.kind, effect.key, effect.version)))


def _drop_entry(run: Execute, realm: str, effect: fx.DropEntry) -> None:
    sql = "DELETE FROM entries WHERE realm=? AND kind=? AND key=? AND version=?"
    _won(run(sql, (realm, effect.kind, effect.key, effect.version)))


def _put_credential(run: Execute, realm: str, effect: fx.PutCredential) -> None:
    whose = (realm, effect.kind, effect.id, effect.sub)
    if effect.before is not None:
        sql = "UPDATE credentials SET record=? WHERE realm=? AND kind=? AND id=? AND sub=? AND record=?"
        _won(run(sql, (effect.record, *whose, effect.before)))
        return
    sql = (
        "INSERT INTO credentials VALUES (?,?,?,?,?) "
        "ON CONFLICT (realm, kind, id) DO UPDATE SET record=excluded.record WHERE sub=excluded.sub"
    )
    _won(run(sql, (*whose, effect.record)))


def _remove_credential(run: Execute, realm: str, effect: fx.RemoveCredential) -> None:
    sql = "DELETE FROM credentials WHERE realm=? AND kind=? AND id=? AND sub=?"
    run(sql, (realm, effect.kind, effect.id, effect.sub))


def _won(cursor: sqlite3.Cursor) -> None:
    if cursor.rowcount != 1:
        raise fx.Lost


_APPLY: dict[type[fx.Effect], Callable[[Execute, str, Any], None]] = {
    fx.PutClient: _put_client,
    fx.RemoveClient: _remove_client,
    fx.PutPerson: _put_person,
    fx.RemovePerson: _remove_person,
    fx.AddCode: _add_code,
    fx.SpendCode: _spend_code,
    fx.AddGrant: _add_grant,
    fx.RevokeGrant: _revoke_grant,
    fx.AddRefreshToken: _add_refresh_token,
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

COUNT_CHANGE = "INSERT INTO notes VALUES ('', 'changes', '1') ON CONFLICT DO UPDATE SET text = text + 1"
"""Done whenever something changes that nodes keep in memory, so that each of them notices."""

NEW_RESOURCE = (
    "INSERT INTO resources SELECT ?1, ?2, coalesce(max(position) + 1, 0), ?3 FROM resources WHERE realm=?1 ON CONFLICT"
)
"""A resource comes after those that are there; what is to happen where it is one of them has to follow."""

_REVOKE_SESSIONS_GRANTS = """
    UPDATE grants SET revoked_at = ?1 WHERE realm = ?2 AND revoked_at IS NULL
    AND id IN (SELECT id FROM grants WHERE realm = ?2 AND session_id = ?3 AND session_id <> '')
"""
