// An adapter as oidc-provider documents one, on SQLite as innkeeper uses it: write-ahead log, on disk before it is answered.
import { DatabaseSync } from 'node:sqlite';

const database = new DatabaseSync(process.env.DATABASE_FILE);
database.exec(`
  pragma journal_mode = wal;
  pragma synchronous = full;
  create table if not exists kept (
    model text, id text, payload text, grant_id text, expires_at integer, consumed integer, primary key (model, id)
  ) without rowid;
  create index if not exists of_grant on kept (grant_id) where grant_id is not null;
`);

const put = database.prepare(`
  insert into kept (model, id, payload, grant_id, expires_at) values (?, ?, ?, ?, ?) on conflict (model, id) do update
  set payload = excluded.payload, grant_id = excluded.grant_id, expires_at = excluded.expires_at
`);
const get = database.prepare('select payload, consumed from kept where model = ? and id = ? and expires_at > unixepoch()');
const spend = database.prepare('update kept set consumed = unixepoch() where model = ? and id = ?');
const drop = database.prepare('delete from kept where model = ? and id = ?');
const revoke = database.prepare('delete from kept where grant_id = ?');

export default class Sqlite {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload, expiresIn) {
    const grant = this.model === 'Grant' ? null : payload.grantId ?? null;
    const expires = Math.floor(Date.now() / 1000) + (expiresIn ?? 86400);
    put.run(this.model, id, JSON.stringify(payload), grant, expires);
  }

  async find(id) {
    const found = get.get(this.model, id);
    return found && { ...JSON.parse(found.payload), ...(found.consumed ? { consumed: found.consumed } : {}) };
  }

  async consume(id) {
    spend.run(this.model, id);
  }

  async destroy(id) {
    drop.run(this.model, id);
  }

  async revokeByGrantId(grantId) {
    revoke.run(grantId);
  }
}
