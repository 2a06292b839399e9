-- One row per record, split by realm, as in schema.sql. `record` is the record in MessagePack. What a look-up or a
-- condition needs stands in a column of its own. Times are whole seconds since the epoch, hashes SHA-256. Text is
-- compared byte by byte, and a NUL in it is written as an escape (see postgres.py), for PostgreSQL's text has none.

CREATE TABLE clients (
    realm text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, unused_until bigint, record bytea NOT NULL,
    PRIMARY KEY (realm, id)
);
CREATE INDEX clients_by_expiry ON clients (realm, unused_until) WHERE unused_until IS NOT NULL;

CREATE TABLE resources (
    realm text COLLATE "C" NOT NULL, uri text COLLATE "C" NOT NULL, position bigint NOT NULL, record bytea NOT NULL,
    PRIMARY KEY (realm, uri)
);

CREATE TABLE people (
    realm text COLLATE "C" NOT NULL, sub text COLLATE "C" NOT NULL, username text COLLATE "C" NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (realm, sub)
);
CREATE UNIQUE INDEX people_by_name ON people (realm, lower(username));

CREATE TABLE sessions (
    realm text COLLATE "C" NOT NULL, digest bytea NOT NULL, id text COLLATE "C" NOT NULL,
    sub text COLLATE "C" NOT NULL, expires_at bigint NOT NULL, ended_at bigint, record bytea NOT NULL,
    PRIMARY KEY (realm, digest), UNIQUE (realm, id)
);
CREATE INDEX sessions_by_expiry ON sessions (realm, expires_at);
CREATE INDEX sessions_by_person ON sessions (realm, sub);

CREATE TABLE consents (
    realm text COLLATE "C" NOT NULL, sub text COLLATE "C" NOT NULL, client_id text COLLATE "C" NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (realm, sub, client_id)
);
CREATE INDEX consents_by_client ON consents (realm, client_id);

-- Rows that are changed once, when they are spent, leave room on their page for the change.
CREATE TABLE codes (
    realm text COLLATE "C" NOT NULL, digest bytea NOT NULL, expires_at bigint NOT NULL, spent_at bigint,
    record bytea NOT NULL,
    PRIMARY KEY (realm, digest)
) WITH (fillfactor = 60);
CREATE INDEX codes_by_expiry ON codes (realm, expires_at);

CREATE TABLE grants (
    realm text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, sub text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL, session_id text COLLATE "C" NOT NULL, expires_at bigint NOT NULL,
    revoked_at bigint, record bytea NOT NULL,
    PRIMARY KEY (realm, id)
);
CREATE INDEX grants_by_session ON grants (realm, session_id) WHERE session_id <> '';
CREATE INDEX grants_by_expiry ON grants (realm, expires_at);
CREATE INDEX grants_by_client ON grants (realm, client_id);
CREATE INDEX grants_by_person ON grants (realm, sub, client_id);

CREATE TABLE refresh_tokens (
    realm text COLLATE "C" NOT NULL, digest bytea NOT NULL, grant_id text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL, spent_at bigint, successor bytea,
    PRIMARY KEY (realm, digest)
) WITH (fillfactor = 60);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (realm, expires_at);

CREATE TABLE revoked_tokens (
    realm text COLLATE "C" NOT NULL, jti text COLLATE "C" NOT NULL, expires_at bigint NOT NULL,
    PRIMARY KEY (realm, jti)
);
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (realm, expires_at);

-- Whatever lives for minutes: requests that wait, and names that may be used once. `version` counts the changes.
CREATE TABLE entries (
    realm text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL, version bigint NOT NULL, record bytea NOT NULL,
    PRIMARY KEY (realm, kind, key)
);
CREATE INDEX entries_by_expiry ON entries (realm, expires_at);

-- Ways of signing in besides the password.
CREATE TABLE credentials (
    realm text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
    sub text COLLATE "C" NOT NULL, record bytea NOT NULL,
    PRIMARY KEY (realm, kind, id)
);
CREATE INDEX credentials_by_person ON credentials (realm, sub, kind);

CREATE TABLE signing_keys (
    realm text COLLATE "C" NOT NULL, kid text COLLATE "C" NOT NULL, record bytea NOT NULL,
    PRIMARY KEY (realm, kid)
);

CREATE TABLE secrets (
    realm text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL, sealed bytea NOT NULL,
    PRIMARY KEY (realm, name)
);

CREATE TABLE notes (
    realm text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL, text text COLLATE "C" NOT NULL,
    PRIMARY KEY (realm, name)
);

-- Which migration these tables are at.
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO alembic_version VALUES ('2');
