// The contract of every SessionStore. Call it with a function that makes two views of one fresh store, as two processes
// would have, if the store serves several.

import assert from "node:assert/strict";
import { test } from "node:test";
// The bundle, as the stores of other packages: its classes are not those of build/.
import {
  HoldfastError,
  SessionFencedError,
  TextBytes,
  type SessionChange,
  type SessionRecord,
  type SessionStore,
} from "holdfast";

/** The error of a change to a record that the store does not have. */
function isNotStored(error: unknown): boolean {
  return error instanceof HoldfastError && !(error instanceof SessionFencedError);
}

export const HASH = "ab".repeat(32);
export const PROOF = { secretHash: HASH, owner: "ada" };

export function aRecord(change: Partial<SessionRecord> = {}): SessionRecord {
  const text = new TextBytes(new TextEncoder().encode("ü"));
  return {
    id: "abcdefghijk-",
    secretHash: HASH,
    owner: "ada",
    subprotocol: "chat",
    created: 1000,
    deadline: 5000,
    generation: 1,
    attempt: 0,
    outgoing: {
      sent: 9,
      confirmed: 5,
      transmitted: 8,
      kept: ["\ufeffä\u0016", new Uint8Array([0, 255]), null, text],
    },
    incoming: { received: 4, confirmed: 2 },
    inbox: [
      { position: 3, message: "unread" },
      { position: 4, message: new Uint8Array(0) },
    ],
    ...change,
  };
}

const CHANGES: readonly SessionChange[] = [
  { type: "sent", position: 10, message: "ten" },
  { type: "confirmed", position: 7 },
  { type: "received", position: 5, message: new Uint8Array([5]) },
  { type: "handled", position: 3 },
  { type: "skipped", position: 6 },
  { type: "deadline", deadline: 7000, attempt: 2 },
];

export function testStore(
  name: string,
  make: (use: (one: SessionStore, other: SessionStore) => Promise<void>) => Promise<void>,
): void {
  const { id } = aRecord();

  test(`L7: ${name}: a claim returns what was saved, with the next generation`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      const claim = await other.claim(id, PROOF, 2000);
      assert.deepEqual(claim, { type: "claimed", record: aRecord({ generation: 2 }) });
      const again = await one.claim(id, PROOF, 2000);
      assert.deepEqual(again, { type: "claimed", record: aRecord({ generation: 3 }) });
    }));

  test(`L7: ${name}: a claim returns what was logged since`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      await one.append(id, 1, CHANGES.slice(0, 3));
      await one.append(id, 1, CHANGES.slice(3));
      const claim = await other.claim(id, PROOF, 6000);
      assert.deepEqual(claim, {
        type: "claimed",
        record: aRecord({
          generation: 2,
          attempt: 2,
          deadline: 7000,
          outgoing: {
            sent: 10,
            confirmed: 7,
            transmitted: 10,
            kept: [null, aRecord().outgoing.kept[3] ?? null, "ten"],
          },
          incoming: { received: 6, confirmed: 3 },
          inbox: [
            { position: 4, message: new Uint8Array(0) },
            { position: 5, message: new Uint8Array([5]) },
          ],
        }),
      });
    }));

  test(`L7: ${name}: a log that is written again, later than the record that has replaced it, changes nothing`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      await one.append(id, 1, CHANGES);
      const claim = await other.claim(id, PROOF, 6000);
      assert.equal(claim.type, "claimed");
      await other.save(claim.record);
      await other.append(id, 2, CHANGES);
      await other.append(id, 2, CHANGES.slice(0, 4));
      const again = await one.claim(id, PROOF, 6000);
      assert.deepEqual(again, { type: "claimed", record: { ...claim.record, generation: 3 } });
    }));

  // More than a message of NATS may have.
  const text = "x".repeat(8192);
  const many = Array.from({ length: 300 }, (_, index) => `${index} ${text}`);
  const large = aRecord({
    incoming: { received: 300, confirmed: 0 },
    inbox: many.map((message, index) => ({ position: index + 1, message })),
  });

  test(`L7: ${name}: a record of many messages, and a large change, are claimed whole`, () =>
    make(async (one, other) => {
      await one.save(large);
      await one.append(id, 1, [{ type: "received", position: 301, message: "next" }]);
      const claim = await other.claim(id, PROOF, 2000);
      const inbox = [...large.inbox, { position: 301, message: "next" }];
      const incoming = { received: 301, confirmed: 0 };
      assert.deepEqual(claim, { type: "claimed", record: { ...large, generation: 2, incoming, inbox } });
      await other.append(id, 2, [{ type: "received", position: 302, message: many.join() }]);
      await other.append(id, 2, [{ type: "received", position: 303, message: "last" }]);
      const again = await one.claim(id, PROOF, 2000);
      assert.equal(again.type, "claimed");
      assert.deepEqual(again.record.inbox.slice(301), [
        { position: 302, message: many.join() },
        { position: 303, message: "last" },
      ]);
      await one.save(aRecord({ generation: 3 }));
      assert.deepEqual(await other.claim(id, PROOF, 2000), {
        type: "claimed",
        record: aRecord({ generation: 4 }),
      });
      assert.equal(await one.sweep(5000), 1);
    }));

  test(`L4: ${name}: of a claim and a save of a large record at the same time, the claim gets one record whole`, () =>
    make(async (one, other) => {
      for (let round = 0; round < 5; round++) {
        const each = `large${String(round).padStart(7, "0")}`;
        await one.save(aRecord({ id: each }));
        const [save, claim] = await Promise.allSettled([
          one.save({ ...large, id: each }),
          new Promise((resolve) => setTimeout(resolve, round)).then(() => other.claim(each, PROOF, 2000)),
        ]);
        assert.ok(claim.status === "fulfilled" && claim.value.type === "claimed");
        const { record } = claim.value;
        // A save that is refused may have been written.
        const isLarge = record.inbox.length === large.inbox.length;
        assert.deepEqual(record, { ...(isLarge ? large : aRecord()), id: each, generation: 2 });
        if (!isLarge) assert.equal(save.status, "rejected");
        if (save.status === "rejected") assert.ok(save.reason instanceof SessionFencedError);
        await other.append(each, 2, [{ type: "skipped", position: record.incoming.received + 1 }]);
        const again = await one.claim(each, PROOF, 2000);
        assert.equal(again.type, "claimed");
        assert.deepEqual(again.record.inbox, record.inbox);
      }
    }));

  test(`L4: ${name}: the writes of a process that was fenced off are refused`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      await other.claim(id, PROOF, 2000);
      await assert.rejects(one.save(aRecord({ deadline: 9000 })), SessionFencedError);
      await assert.rejects(one.append(id, 1, CHANGES), SessionFencedError);
      await assert.rejects(one.remove(id, 1, null, 9000), SessionFencedError);
      await other.append(id, 2, CHANGES.slice(0, 1));
      const claim = await one.claim(id, PROOF, 2000);
      assert.equal(claim.type === "claimed" && claim.record.outgoing.sent, 10);
    }));

  test(`L4: ${name}: concurrent claims get different generations`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      const claims = await Promise.all([
        one.claim(id, PROOF, 2000),
        other.claim(id, PROOF, 2000),
        one.claim(id, PROOF, 2000),
      ]);
      const generations = claims.map((claim) => (claim.type === "claimed" ? claim.record.generation : 0));
      assert.deepEqual(generations.sort(), [2, 3, 4]);
      await assert.rejects(one.save(aRecord({ generation: 3 })), SessionFencedError);
      await one.save(aRecord({ generation: 4 }));
    }));

  test(`L5: ${name}: another secret gets unknown, another owner forbidden, and neither fences off`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      const wrong = await other.claim(id, { ...PROOF, secretHash: "cd".repeat(32) }, 2000);
      assert.deepEqual(wrong, { type: "lost", reason: "unknown", error: null });
      const owner = await other.claim(id, { ...PROOF, owner: null }, 2000);
      assert.deepEqual(owner, { type: "lost", reason: "forbidden", error: null });
      await one.save(aRecord());
      const absent = await other.claim("abcdefghijkl", PROOF, 2000);
      assert.deepEqual(absent, { type: "lost", reason: "unknown", error: null });
    }));

  test(`L6: ${name}: an expired session is lost, and swept`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      await one.save(aRecord({ id: "forever-kept", deadline: null }));
      assert.equal(await one.sweep(4999), 0);
      assert.deepEqual(await other.claim(id, PROOF, 5000), { type: "lost", reason: "expired", error: null });
      assert.equal(await one.sweep(5000), 1);
      assert.deepEqual(await other.claim(id, PROOF, 5000), { type: "lost", reason: "unknown", error: null });
      assert.equal((await other.claim("forever-kept", PROOF, 1e15)).type, "claimed");
    }));

  test(`L6: ${name}: a removed session gives its reason for a while, and cannot be written again`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      await one.remove(id, 1, "overflow", 8000);
      await one.remove(id, 1, null, 8000);
      assert.deepEqual(await other.claim(id, PROOF, 7999), { type: "lost", reason: "overflow", error: null });
      assert.deepEqual(await other.claim(id, PROOF, 8000), { type: "lost", reason: "unknown", error: null });
      await assert.rejects(one.save(aRecord()), SessionFencedError);
      await assert.rejects(one.append(id, 1, CHANGES), SessionFencedError);
      assert.equal(await one.sweep(8000), 1);
    }));

  test(`L7: ${name}: a process that removed what it claimed can save it again with the next generation`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      await other.claim(id, PROOF, 2000);
      await other.remove(id, 2, "unknown", 8000);
      assert.equal((await one.claim(id, PROOF, 2000)).type, "lost");
      await assert.rejects(one.save(aRecord({ generation: 2 })), SessionFencedError);
      await other.save(aRecord({ generation: 3 }));
      const claim = await one.claim(id, PROOF, 2000);
      assert.deepEqual(claim, { type: "claimed", record: aRecord({ generation: 4 }) });
      await one.remove(id, 4, "evicted", 8000);
      assert.deepEqual(await other.claim(id, PROOF, 2000), { type: "lost", reason: "evicted", error: null });
    }));

  test(`L4: ${name}: of a claim and a removal at the same time, one wins`, () =>
    make(async (one, other) => {
      for (let round = 0; round < 20; round++) {
        const record = aRecord({ id: `round${String(round).padStart(7, "0")}` });
        await one.save(record);
        const [claim, removal] = await Promise.allSettled([
          other.claim(record.id, PROOF, 2000),
          one.remove(record.id, 1, "overflow", 8000),
        ]);
        const isClaimed = claim.status === "fulfilled" && claim.value.type === "claimed";
        // Both may fail, since the client then has a new session. Both must not succeed.
        assert.ok(!(isClaimed && removal.status === "fulfilled"), `round ${round}`);
        if (removal.status === "rejected") assert.ok(removal.reason instanceof SessionFencedError);
        if (!isClaimed) continue;
        await other.append(record.id, 2, CHANGES.slice(0, 1));
        assert.equal((await one.claim(record.id, PROOF, 2000)).type, "claimed");
      }
    }));

  test(`L6: ${name}: a sweep while sessions are claimed, saved and logged harms none that lives`, () =>
    make(async (one, other) => {
      const records = Array.from({ length: 20 }, (_, index) =>
        aRecord({ id: `sweep${String(index).padStart(7, "0")}`, deadline: index % 2 === 0 ? 5000 : 3000 }),
      );
      const sweeps = (async () => {
        let swept = 0;
        for (let round = 0; round < 10; round++) swept += await other.sweep(3000);
        return swept;
      })();
      const uses = records.map(async (record) => {
        await one.save(record);
        const claim = await one.claim(record.id, PROOF, 2500);
        if (record.deadline === 5000) {
          assert.equal(claim.type, "claimed");
          await one.append(record.id, 2, CHANGES.slice(0, 1));
        }
      });
      await Promise.all([sweeps, ...uses]);
      await other.sweep(3000);
      for (const { id: each, deadline } of records) {
        const claim = await other.claim(each, PROOF, 3000);
        if (deadline === 5000) assert.equal(claim.type, "claimed");
      }
    }));

  test(`L7: ${name}: changes to a session that the store does not have fail, and its process saves it again`, () =>
    make(async (one, other) => {
      await assert.rejects(one.append(id, 1, CHANGES), isNotStored);
      await one.remove(id, 1, null, 8000);
      await one.save(aRecord());
      assert.equal(await other.sweep(5000), 1);
      await assert.rejects(one.append(id, 1, CHANGES), isNotStored);
      await one.save(aRecord());
      await one.append(id, 1, CHANGES);
      assert.equal((await other.claim(id, PROOF, 2000)).type, "claimed");
    }));

  test(`L4, L7: ${name}: a store that has lost a claim gets the whole record of the newer generation`, () =>
    make(async (one, other) => {
      await one.save(aRecord());
      await assert.rejects(other.append(id, 2, CHANGES), isNotStored);
      await one.remove(id, 1, "expired", 8000); // By the process that was fenced off.
      await assert.rejects(other.append(id, 2, CHANGES), isNotStored);
      await other.save(aRecord({ generation: 2 }));
      await other.append(id, 2, CHANGES.slice(0, 1));
      await assert.rejects(one.append(id, 1, CHANGES), SessionFencedError);
      assert.equal((await one.claim(id, PROOF, 2000)).type, "claimed");
    }));
}
