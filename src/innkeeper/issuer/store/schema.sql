-- One row per record, split by realm. `record` is the record in MessagePack. What a look-up or a condition
-- needs stands in a column of its own. Times are whole seconds since the epoch, hashes SHA-256.

CREATE TABLE clients (
    realm TEXT NOT NULL, id TEXT NOT NULL, unused_until INTEGER, record BLOB NOT NULL,
    PRIMARY KEY (realm, id)
) WITHOUT ROWID;
CREATE INDEX clients_by_expiry ON clients (realm, unused_until) WHERE unused_until IS NOT NULL;

CREATE TABLE resources (
    realm TEXT NOT NULL, uri TEXT NOT NULL, position INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (realm, uri)
) WITHOUT ROWID;

CREATE TABLE people (
    realm TEXT NOT NULL, sub TEXT NOT NULL, username TEXT NOT NULL COLLATE NOCASE, record BLOB NOT NULL,
    PRIMARY KEY (realm, sub), UNIQUE (realm, username)
) WITHOUT ROWID;

CREATE TABLE sessions (
    realm TEXT NOT NULL, digest BLOB NOT NULL, id TEXT NOT NULL, sub TEXT NOT NULL,
    expires_at INTEGER NOT NULL, ended_at INTEGER, record BLOB NOT NULL,
    PRIMARY KEY (realm, digest), UNIQUE (realm, id)
) WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (realm, expires_at);
CREATE INDEX sessions_by_person ON sessions (realm, sub);

CREATE TABLE consents (
    realm TEXT NOT NULL, sub TEXT NOT NULL, client_id TEXT NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (realm, sub, client_id)
) WITHOUT ROWID;
CREATE INDEX consents_by_client ON consents (realm, client_id);

CREATE TABLE codes (
    realm TEXT NOT NULL, digest BLOB NOT NULL, expires_at INTEGER NOT NULL, spent_at INTEGER, record BLOB NOT NULL,
    PRIMARY KEY (realm, digest)
) WITHOUT ROWID;
CREATE INDEX codes_by_expiry ON codes (realm, expires_at);

CREATE TABLE grants (
    realm TEXT NOT NULL, id TEXT NOT NULL, sub TEXT NOT NULL, client_id TEXT NOT NULL, session_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL, revoked_at INTEGER, record BLOB NOT NULL,
    PRIMARY KEY (realm, id)
) WITHOUT ROWID;
CREATE INDEX grants_by_session ON grants (realm, session_id) WHERE session_id <> '';
CREATE INDEX grants_by_expiry ON grants (realm, expires_at);
CREATE INDEX grants_by_client ON grants (realm, client_id);
CREATE INDEX grants_by_person ON grants (realm, sub, client_id);

CREATE TABLE refresh_tokens (
    realm TEXT NOT NULL, digest BLOB NOT NULL, grant_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL, spent_at INTEGER, successor BLOB,
    PRIMARY KEY (realm, digest)
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (realm, expires_at);

CREATE TABLE revoked_tokens (
    realm TEXT NOT NULL, jti TEXT NOT NULL, expires_at INTEGER NOT NULL,
    PRIMARY KEY (realm, jti)
) WITHOUT ROWID;
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (realm, expires_at);

-- Whatever lives for minutes: requests that wait, and names that may be used once. `version` counts the changes.
CREATE TABLE entries (
    realm TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
    expires_at INTEGER NOT NULL, version INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (realm, kind, key)
) WITHOUT ROWID;
CREATE INDEX entries_by_expiry ON entries (realm, expires_at);

-- Ways of signing in besides the password.
CREATE TABLE credentials (
    realm TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, sub TEXT NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (realm, kind, id)
) WITHOUT ROWID;
CREATE INDEX credentials_by_person ON credentials (realm, sub, kind);

CREATE TABLE signing_keys (
    realm TEXT NOT NULL, kid TEXT NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (realm, kid)
) WITHOUT ROWID;

CREATE TABLE secrets (
    realm TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (realm, name)
) WITHOUT ROWID;

CREATE TABLE notes (
    realm TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (realm, name)
) WITHOUT ROWID;

-- Which migration these tables are at.
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO alembic_version VALUES ('2');

-- Nearly all rows of a table are of one realm. SQLite has to be told so, or it takes the realm for a key as good as any
-- and reads through the whole of it where an index by person, client or session would do.
ANALYZE sqlite_master;
INSERT INTO sqlite_stat1 VALUES
    ('sessions', 'sessions', '1000000 1000000 1'),
    ('grants', 'grants', '1000000 1000000 1'),
    ('codes', 'codes', '1000000 1000000 1'),
    ('refresh_tokens', 'refresh_tokens', '1000000 1000000 1'),
    ('revoked_tokens', 'revoked_tokens', '1000000 1000000 1'),
    ('consents', 'consents', '1000000 1000000 2 1'),
    ('credentials', 'credentials', '1000000 1000000 1000000 1'),
    ('entries', 'entries', '1000000 1000000 100000 1');
ANALYZE sqlite_master;
