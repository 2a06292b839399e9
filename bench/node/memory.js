// Everything in one Map, as the adapter that oidc-provider brings, which forgets all but 1,000 entries.
const kept = new Map();
const families = new Map();

export default class Memory {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload) {
    kept.set(`${this.model}:${id}`, payload);
    if (payload.grantId && this.model !== 'Grant') {
      const family = families.get(payload.grantId) ?? [];
      family.push(`${this.model}:${id}`);
      families.set(payload.grantId, family);
    }
  }

  async find(id) {
    return kept.get(`${this.model}:${id}`);
  }

  async consume(id) {
    kept.get(`${this.model}:${id}`).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    kept.delete(`${this.model}:${id}`);
  }

  async revokeByGrantId(grantId) {
    for (const key of families.get(grantId) ?? []) kept.delete(key);
    families.delete(grantId);
  }
}
