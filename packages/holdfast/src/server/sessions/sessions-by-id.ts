// The sessions of a server, by id. With 10,000 sessions it takes 13 bytes for each. A `Map` would take 46, and a separate
// string for each id.

/** A session, as far as the table knows it. */
interface Identified {
  readonly id: string;
}

const MIN_SLOTS = 64;

/** A hash table with open addressing: a session is in the slot of its hash, or in the next one that was free. */
export class SessionsById<Session extends Identified> implements Iterable<Session> {
  #slots: (Session | undefined)[] = emptySlots(MIN_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(id: string): Session | undefined {
    return this.#slots[this.#slotOf(id)];
  }

  /** Replaces a session with the same id. */
  add(session: Session): void {
    if ((this.#size + 1) * 4 > this.#slots.length * 3) this.#resize(this.#slots.length * 2);
    const slot = this.#slotOf(session.id);
    if (this.#slots[slot] === undefined) this.#size++;
    this.#slots[slot] = session;
  }

  delete(session: Session): void {
    const slot = this.#slotOf(session.id);
    if (this.#slots[slot] !== session) return;
    this.#slots[slot] = undefined;
    this.#size--;
    this.#closeGap(slot);
    if (this.#slots.length > MIN_SLOTS && this.#size * 8 < this.#slots.length)
      this.#resize(this.#slots.length / 2);
  }

  /** The sessions as they are now: the caller may end them meanwhile. */
  [Symbol.iterator](): Iterator<Session> {
    return this.#slots.filter((session) => session !== undefined).values();
  }

  /** The slot of the session with this id, or the free one in which it would be. */
  #slotOf(id: string): number {
    const mask = this.#slots.length - 1; // The length is a power of two.
    let slot = hashOf(id) & mask;
    for (;;) {
      const session = this.#slots[slot];
      if (session === undefined || session.id === id) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /** The sessions after a slot that was freed may belong there: finds each its slot again. */
  #closeGap(gap: number): void {
    const mask = this.#slots.length - 1;
    for (let slot = (gap + 1) & mask; ; slot = (slot + 1) & mask) {
      const session = this.#slots[slot];
      if (session === undefined) return;
      this.#slots[slot] = undefined;
      this.#slots[this.#slotOf(session.id)] = session;
    }
  }

  #resize(length: number): void {
    const sessions = [...this];
    this.#slots = emptySlots(length);
    for (const session of sessions) this.#slots[this.#slotOf(session.id)] = session;
  }
}

function emptySlots(length: number): undefined[] {
  return new Array<undefined>(length).fill(undefined);
}

/** Ids are random, so that a simple hash suffices. */
function hashOf(id: string): number {
  let hash = 0;
  for (let index = 0; index < id.length; index++) hash = (Math.imul(hash, 31) + id.charCodeAt(index)) | 0;
  return hash;
}
