// Keeps sessions in files, for servers of one machine that follow one another: a rolling restart, or a crash.
//
//   DIRECTORY/ID/GENERATION     one block for the record, and one for each batch of changes (session/store/record-codec.ts)
//   DIRECTORY/ID/removed-LOSS   the record without messages, with the time until which the loss is remembered
//
// Fencing: a claim first creates the file of the next generation, empty and exclusively, and then reads the previous one. A
// writer first writes, and then looks for a newer generation. So either the claim reads what was written, or the writer
// finds itself fenced.

import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError, InvalidArgumentError } from "../../shared/errors.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import { judgeProof, type SessionProof } from "../../session/server-session.js";
import { isSessionId } from "../../session/session-id.js";
import { fenced, forgetMessages } from "../../session/store/memory-store.js";
import { decodeRecord, encodeChanges, encodeRecord } from "../../session/store/record-codec.js";
import type { SessionChange, SessionRecord } from "../../session/store/session-record.js";
import type { Claim, SessionStore } from "../../session/store/session-store.js";

/** Options of `fileStore()`. */
export interface FileStoreOptions {
  /** The directory for sessions, and for nothing else. It is created, readable by its owner only. */
  readonly directory: string;
}

/**
 * Keeps sessions in files. All servers that share the directory must run on one machine.
 * @throws InvalidArgumentError if `directory` is no path
 */
export function fileStore(options: FileStoreOptions): SessionStore {
  const directory: unknown = options.directory;
  if (typeof directory !== "string" || directory === "") {
    throw new InvalidArgumentError(
      "Expected `directory` to be a path, got something else. Give the store a directory.",
    );
  }
  return new FileStore(directory);
}

const OWNER_ONLY = 0o600;
/** Before the reason. "removed-" alone: it ended deliberately. */
const REMOVED = "removed-";

class FileStore implements SessionStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async claim(id: string, proof: SessionProof, wallNow: number): Promise<Claim> {
    try {
      return await this.#claim(id, proof, wallNow);
    } catch (error) {
      return { type: "lost", reason: "store", error: storeError(error) };
    }
  }

  async save(record: SessionRecord): Promise<void> {
    const folder = this.#folderOf(record.id);
    await guard(async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await this.#checkHeld(record.id, record.generation);
      await writeWhole(folder, String(record.generation), encodeRecord(record));
      await this.#checkHeld(record.id, record.generation);
    });
  }

  async append(id: string, generation: number, changes: readonly SessionChange[]): Promise<void> {
    const folder = this.#folderOf(id);
    await guard(async () => {
      await this.#checkHeld(id, generation);
      // "r+" and a write at the end, since "a" would create a file that was never saved.
      const file = await openExisting(join(folder, String(generation)), id);
      try {
        const { size } = await file.stat();
        await file.write(encodeChanges(changes), 0, null, size);
        await file.datasync();
      } finally {
        await file.close();
      }
      await this.#checkHeld(id, generation);
    });
  }

  async remove(id: string, generation: number, loss: SessionLoss | null, until: number): Promise<void> {
    const folder = this.#folderOf(id);
    await guard(async () => {
      const { newest, removed } = await this.#list(id);
      if (newest === 0 || removed !== null) return;
      if (newest > generation) throw fenced(id);
      const record = forgetMessages(decodeRecord(await readFile(join(folder, String(newest)))));
      await writeWhole(folder, REMOVED + (loss ?? ""), encodeRecord({ ...record, deadline: until }));
      await this.#dropUpTo(id, newest);
    });
  }

  async sweep(wallNow: number): Promise<number> {
    return guard(async () => {
      let swept = 0;
      for (const id of await namesIn(this.#directory)) {
        if (isSessionId(id) && (await this.#sweepOne(id, wallNow))) swept++;
      }
      return swept;
    });
  }

  async #claim(id: string, proof: SessionProof, wallNow: number): Promise<Claim> {
    const folder = this.#folderOf(id);
    const seen = await this.#read(id);
    if (seen === null) return lost("unknown");
    const refusal = judgeProof(seen.record, proof);
    if (refusal !== null) return lost(refusal);
    const deadline = seen.record.deadline ?? Infinity;
    if (seen.removed !== null) return lost(deadline <= wallNow ? "unknown" : lossOf(seen.removed));
    if (deadline <= wallNow) return lost("expired");
    for (let generation = seen.newest + 1; ; generation++) {
      if (!(await createEmpty(join(folder, String(generation))))) continue; // Another process claims it as well.
      const current = await this.#read(id);
      if (current?.removed !== null) return lost("unknown"); // Removed or swept meanwhile.
      const record = { ...current.record, generation };
      await writeWhole(folder, String(generation), encodeRecord(record));
      const { newest } = await this.#list(id);
      if (newest === generation) await this.#dropUpTo(id, generation - 1);
      return { type: "claimed", record };
    }
  }

  /** The newest record. A file that is empty belongs to a claim that is under way, or that was killed. */
  async #read(id: string): Promise<{ record: SessionRecord; newest: number; removed: string | null } | null> {
    const folder = this.#folderOf(id);
    const { generations, newest, removed } = await this.#list(id);
    for (const name of removed === null ? generations : [removed]) {
      const bytes = await readIfPresent(join(folder, String(name)));
      if (bytes === null) return this.#read(id); // A newer generation has just taken its place.
      if (bytes.length > 0) return { record: decodeRecord(bytes), newest, removed };
    }
    return null;
  }

  /** The generations of a session, newest first, and the file that says that it was removed. */
  async #list(
    id: string,
  ): Promise<{ generations: readonly number[]; newest: number; removed: string | null }> {
    const names = await namesIn(this.#folderOf(id));
    const generations = names
      .filter((name) => /^[1-9][0-9]{0,14}$/.test(name))
      .map(Number)
      .sort((left, right) => right - left);
    // A temporary file has a dot in its name.
    const removed = names.find((name) => name.startsWith(REMOVED) && !name.includes(".")) ?? null;
    return { generations, newest: generations[0] ?? 0, removed };
  }

  async #checkHeld(id: string, generation: number): Promise<void> {
    const { newest, removed } = await this.#list(id);
    if (newest > generation || removed !== null) throw fenced(id);
  }

  async #dropUpTo(id: string, generation: number): Promise<void> {
    const { generations } = await this.#list(id);
    const folder = this.#folderOf(id);
    for (const old of generations) {
      // Forced, since a concurrent claim may drop it as well.
      if (old <= generation) await rm(join(folder, String(old)), { force: true });
    }
  }

  async #sweepOne(id: string, wallNow: number): Promise<boolean> {
    try {
      const seen = await this.#read(id);
      if (seen !== null && (seen.record.deadline ?? Infinity) > wallNow) return false;
    } catch {
      return false; // A damaged record stays, for whoever looks into it.
    }
    await rm(this.#folderOf(id), { recursive: true, force: true });
    return true;
  }

  /** @throws HoldfastError for an id that is none: it must never become a path. */
  #folderOf(id: string): string {
    if (!isSessionId(id)) throw new HoldfastError("Expected the id of a session, got something else.");
    return join(this.#directory, id);
  }
}

/** Replaces a file atomically, durably. */
async function writeWhole(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(folder, `${name}.${randomBytes(6).toString("hex")}`);
  const file = await open(temporary, "wx", OWNER_ONLY);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, name));
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Returns false if the file exists. */
async function createEmpty(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx", OWNER_ONLY)).close();
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function openExisting(path: string, id: string): ReturnType<typeof open> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw fenced(id); // Claimed or removed just now, or never saved.
    throw error;
  }
}

async function readIfPresent(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

async function guard<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw storeError(error);
  }
}

function storeError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const message = "The store of sessions cannot read or write its files. Check its directory and the disk.";
  return new HoldfastError(message, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

function lossOf(removed: string): SessionLoss {
  return (removed.slice(REMOVED.length) || "unknown") as SessionLoss; // `remove` has written it.
}

function lost(reason: SessionLoss): Claim {
  return { type: "lost", reason, error: null };
}
