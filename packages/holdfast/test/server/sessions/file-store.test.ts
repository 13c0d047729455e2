import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileStore } from "holdfast";
import { aRecord, PROOF, testStore } from "../../session/store-contract.js";

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), "holdfast-sessions-"));
  try {
    await use(join(parent, "sessions"));
  } finally {
    await rm(parent, { recursive: true });
  }
}

testStore("files", (use) =>
  inDirectory((directory) => use(fileStore({ directory }), fileStore({ directory }))),
);

const { id } = aRecord();

test("L5: only the owner of the process can read what files keep, and no temporary file stays", () =>
  inDirectory(async (directory) => {
    const store = fileStore({ directory });
    await store.save(aRecord());
    await store.claim(id, PROOF, 2000);
    assert.deepEqual(await readdir(join(directory, id)), ["2"]);
    for (const [path, mode] of [
      [directory, 0o700],
      [join(directory, id), 0o700],
      [join(directory, id, "2"), 0o600],
    ] as const) {
      assert.equal((await stat(path)).mode & 0o777, mode);
    }
  }));

test("L5: an id that is none never becomes a path", () =>
  inDirectory(async (directory) => {
    const store = fileStore({ directory });
    for (const hostile of [
      "../../../etc",
      "..",
      "",
      "a/b",
      "abcdefghijk/",
      "abcdefghijk\0",
      "abcdefghijkl\n",
    ]) {
      const claim = await store.claim(hostile, PROOF, 2000);
      assert.equal(claim.type === "lost" && claim.reason, "store");
      await assert.rejects(store.save(aRecord({ id: hostile })), /Expected the id of a session/);
    }
    await assert.rejects(stat(directory), { code: "ENOENT" });
  }));

test("L6: a damaged file is lost with an error that says so, at any byte; a torn log loses its last batch only", () =>
  inDirectory(async (directory) => {
    const store = fileStore({ directory });
    await store.save(aRecord());
    const path = join(directory, id, "1");
    const { size } = await stat(path);
    await store.append(id, 1, [{ type: "confirmed", position: 6 }]);
    await store.append(id, 1, [{ type: "confirmed", position: 7 }]);
    const whole = await readFile(path);
    for (let index = 0; index < size; index += 7) {
      const damaged = Uint8Array.from(whole);
      damaged[index] = (damaged[index] ?? 0) ^ 0x40;
      await writeFile(path, damaged);
      const claim = await store.claim(id, PROOF, 2000);
      assert.equal(claim.type === "lost" && claim.reason, "store");
      assert.match(claim.type === "lost" ? String(claim.error?.message) : "", /damaged/);
    }
    await writeFile(path, whole);
    await truncate(path, whole.length - 1);
    const claim = await store.claim(id, PROOF, 2000);
    assert.equal(claim.type === "claimed" && claim.record.outgoing.confirmed, 6);
  }));

test("L7: a claim that was killed half-way does not lose the session", () =>
  inDirectory(async (directory) => {
    const store = fileStore({ directory });
    await store.save(aRecord());
    await writeFile(join(directory, id, "2"), "");
    const claim = await store.claim(id, PROOF, 2000);
    assert.deepEqual(claim, { type: "claimed", record: aRecord({ generation: 3 }) });
  }));

/** Makes a file or directory look as if it was last changed so many seconds ago. */
async function age(path: string, seconds: number): Promise<void> {
  const time = Date.now() / 1000 - seconds;
  await utimes(path, time, time);
}

test("L6: a sweep deletes what killed processes left behind, once it is old", () =>
  inDirectory(async (directory) => {
    const store = fileStore({ directory });
    const now = Date.now();
    await store.save(aRecord({ deadline: now + 100_000 }));
    const temporary = join(directory, id, "1.0123456789ab");
    await writeFile(temporary, "half of a rec");
    const empty = join(directory, "neversaved01");
    await mkdir(empty);
    const doomed = join(directory, "swept.0123456789ab");
    await mkdir(doomed);
    await writeFile(join(doomed, "1"), "x");

    assert.equal(await store.sweep(now), 0);
    assert.deepEqual((await readdir(directory)).sort(), [id, "neversaved01"]);
    assert.deepEqual(await readdir(join(directory, id)), ["1", "1.0123456789ab"]);
    await age(temporary, 120);
    await age(empty, 120);
    assert.equal(await store.sweep(now), 1);
    assert.deepEqual(await readdir(directory), [id]);
    assert.deepEqual(await readdir(join(directory, id)), ["1"]);
  }));

test("L6: a damaged record is swept after a day, and not before", () =>
  inDirectory(async (directory) => {
    const store = fileStore({ directory });
    await store.save(aRecord());
    await writeFile(join(directory, id, "1"), "no record at all");
    assert.equal(await store.sweep(Date.now()), 0);
    await age(join(directory, id), 25 * 60 * 60);
    assert.equal(await store.sweep(Date.now()), 1);
    assert.deepEqual(await readdir(directory), []);
  }));

test("L6: a session that is claimed at the last moment is not swept at once", () =>
  inDirectory(async (directory) => {
    const store = fileStore({ directory });
    await store.save(aRecord({ deadline: 2001 }));
    assert.equal((await store.claim(id, PROOF, 2000)).type, "claimed");
    assert.equal(await store.sweep(2001), 0);
    await store.append(id, 2, [{ type: "deadline", deadline: 9000, attempt: 0 }]);
    assert.equal(await store.sweep(8999), 0);
    assert.equal(await store.sweep(9000), 1);
  }));
