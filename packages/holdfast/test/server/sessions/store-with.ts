// A session store some of whose methods are replaced.

import { memoryStore, type SessionStore } from "../../../build/index.js";

/** A store that fails, hangs or takes notes in some of its methods. */
export function storeWith(changes: Partial<SessionStore>, store: SessionStore = memoryStore()): SessionStore {
  return {
    claim: (id, proof, now) => store.claim(id, proof, now),
    save: (record) => store.save(record),
    append: (id, generation, list) => store.append(id, generation, list),
    remove: (id, generation, loss, until) => store.remove(id, generation, loss, until),
    sweep: (now) => store.sweep(now),
    ...changes,
  };
}
