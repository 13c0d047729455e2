import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type {
  Member,
  PresenceChange,
  PresenceListener,
  PresenceSnapshot,
  PresenceStore,
} from "../../build/topics/engine/presence-store.js";
import { PresenceWatch, type PresenceUpdate } from "../../build/topics/presence-watch.js";

type Step =
  | { readonly type: "join" | "leave"; readonly id: string; readonly data: number; readonly fate: Fate }
  | { readonly type: "report" | "restart" };

/** The fate of the report of a change. */
type Fate = "arrives" | "is late" | "is lost" | "is repeated";

const id = fc.constantFrom("a", "b", "c");
const fate = fc.constantFrom<Fate>("arrives", "is late", "is lost", "is repeated");
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom("join" as const, "leave" as const),
      id,
      data: fc.nat(2),
      fate,
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("report" as const, "restart" as const) }) },
);

/** A store that drops, repeats and delays its reports, and begins anew. */
class ScriptedStore implements PresenceStore {
  readonly members = new Map<string, Member>();
  #epoch = 1;
  #version = 0;
  #late: PresenceChange[] = [];
  #listener: PresenceListener = () => undefined;

  run(step: Step): void {
    if ("id" in step) {
      this.#change(step.type, { id: step.id, data: step.data }, step.fate);
    } else if (step.type === "report") {
      for (const change of this.#late.splice(0).reverse()) this.#listener(change);
    } else {
      this.#epoch++;
      this.#version = 0;
      this.members.clear();
      this.#late = [];
      this.#listener(null);
    }
  }

  #change(type: "join" | "leave", member: Member, becomes: Fate): void {
    const known = this.members.get(member.id);
    if (type === "join") {
      this.members.set(member.id, member);
      this.#report({ joined: [member], left: [] }, becomes);
    } else if (known !== undefined) {
      this.members.delete(member.id);
      this.#report({ joined: [], left: [known] }, becomes);
    }
  }

  #report(difference: Omit<PresenceChange, "version">, becomes: Fate): void {
    const version = { epoch: String(this.#epoch), offset: ++this.#version };
    const change = { version, ...difference };
    if (becomes === "is late") this.#late.push(change);
    else if (becomes !== "is lost") this.#listener(change);
    if (becomes === "is repeated") this.#listener(change);
  }

  watch(_topic: string, onChange: PresenceListener): Promise<PresenceSnapshot> {
    this.#listener = onChange;
    return this.list();
  }

  unwatch(): void {
    this.#listener = () => undefined;
  }

  list(): Promise<PresenceSnapshot> {
    const version = { epoch: String(this.#epoch), offset: this.#version };
    return Promise.resolve({ version, members: [...this.members.values()] });
  }

  join = (): Promise<void> => Promise.resolve();
  leave = (): Promise<void> => Promise.resolve();
}

async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve();
}

describe("Watching the members of a topic", () => {
  test("M5: whatever reports are lost, late or repeated: a snapshot, and differences without holes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 30 }), fc.array(fc.boolean()), async (taken, pauses) => {
        const store = new ScriptedStore();
        const updates: PresenceUpdate[] = [];
        const watch = new PresenceWatch({
          store,
          topic: "t",
          onUpdate: (update) => updates.push(update),
          onError: () => assert.fail("nothing fails"),
          pause: () => Promise.resolve(),
        });
        await watch.start();
        for (const [index, step] of taken.entries()) {
          store.run(step);
          if (pauses[index]) await settle();
        }
        // A later change shows that earlier ones are missing.
        store.run({ type: "join", id: "last", data: 0, fate: "arrives" });
        await settle();
        store.run({ type: "report" });
        await settle();

        const members = new Map<string, Member>();
        for (const [index, update] of updates.entries()) {
          assert.equal(update.version, index + 1);
          for (const { id: gone } of update.left) assert.ok(members.delete(gone), "it was there");
          for (const member of update.joined) {
            assert.notDeepEqual(members.get(member.id), member, "it is new, or has new data");
            members.set(member.id, member);
          }
          assert.deepEqual(sorted(update.members), sorted([...members.values()]));
        }
        assert.deepEqual(sorted([...members.values()]), sorted([...store.members.values()]));
      }),
      { numRuns: 2_000 },
    );
  });

  test("M5: after stop(), nothing is reported; a list that fails is tried again", async () => {
    const store = new ScriptedStore();
    const updates: number[] = [];
    const errors: unknown[] = [];
    const list = store.list.bind(store);
    const watch = new PresenceWatch({
      store,
      topic: "t",
      onUpdate: ({ members }) => updates.push(members.length),
      onError: (error) => errors.push(error),
      pause: () => Promise.resolve(),
    });
    await watch.start();
    let failures = 2;
    store.list = () => (failures-- > 0 ? Promise.reject(new Error("down")) : list());
    store.run({ type: "join", id: "a", data: 0, fate: "is lost" });
    store.run({ type: "join", id: "b", data: 0, fate: "arrives" });
    await settle();
    assert.deepEqual([updates, errors.length], [[0, 2], 2]);
    watch.stop();
    store.run({ type: "join", id: "c", data: 0, fate: "arrives" });
    await settle();
    assert.deepEqual(updates, [0, 2]);
  });
});

function sorted(members: readonly Member[]): readonly Member[] {
  return [...members].sort((one, other) => one.id.localeCompare(other.id));
}
