import assert from "node:assert/strict";
import { test } from "node:test";
import { slotOf } from "../dist/routing/hash-slot.js";
import { Partitions } from "../dist/routing/partitions.js";

test("M1: slots are those of the specification of Redis Cluster", () => {
  assert.equal(slotOf("123456789"), 0x31c3);
  assert.equal(slotOf("foo"), 12182);
});

test("M1: partitions spread evenly over the slots, and topics over partitions", () => {
  const partitions = new Partitions("p:");
  assert.equal(partitions.all.length, 128);
  partitions.all.forEach(({ slot, index }) => assert.equal(Math.floor(slot / 128), index));
  const counts = new Map<number, number>();
  for (let topic = 0; topic < 12_800; topic++) {
    const { index } = partitions.of(`room ${topic}`);
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  assert.equal(counts.size, 128);
  assert.ok(Math.max(...counts.values()) < 200, `${Math.max(...counts.values())} in one partition`);
  assert.equal(partitions.of("room 1"), partitions.of("room 1"));
});
