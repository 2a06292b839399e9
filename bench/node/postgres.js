// An adapter as oidc-provider documents one, on PostgreSQL: a prepared statement each, over a pool, committed before it is answered.
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });

await pool.query(`
  create table if not exists kept (
    model text, id text, payload jsonb not null, grant_id text, expires_at timestamptz not null, consumed bigint,
    primary key (model, id)
  );
  create index if not exists of_grant on kept (grant_id) where grant_id is not null;
`);

const asked = (name, text) => (...values) => pool.query({ name, text, values });

const put = asked('put', `
  insert into kept (model, id, payload, grant_id, expires_at) values ($1, $2, $3, $4, now() + make_interval(secs => $5))
  on conflict (model, id) do update
  set payload = excluded.payload, grant_id = excluded.grant_id, expires_at = excluded.expires_at
`);
const get = asked('get', 'select payload, consumed from kept where model = $1 and id = $2 and expires_at > now()');
const spend = asked('spend', 'update kept set consumed = extract(epoch from now()) where model = $1 and id = $2');
const drop = asked('drop', 'delete from kept where model = $1 and id = $2');
const revoke = asked('revoke', 'delete from kept where grant_id = $1');

export default class Postgres {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload, expiresIn) {
    const grant = this.model === 'Grant' ? null : payload.grantId ?? null;
    await put(this.model, id, JSON.stringify(payload), grant, expiresIn ?? 86400);
  }

  async find(id) {
    const { rows: [found] } = await get(this.model, id);
    return found && { ...found.payload, ...(found.consumed ? { consumed: Number(found.consumed) } : {}) };
  }

  async consume(id) {
    await spend(this.model, id);
  }

  async destroy(id) {
    await drop(this.model, id);
  }

  async revokeByGrantId(grantId) {
    await revoke(grantId);
  }
}
