// Keeps sessions in files, for servers of one machine that follow one another: a rolling restart, or a crash.
//
//   DIRECTORY/ID/GENERATION     one block for the record, and one for each batch of changes (session/store/record-codec.ts)
//   DIRECTORY/ID/removed-GENERATION-LOSS
//                               the record without messages, with the time until which the loss is remembered. It counts
//                               until a newer generation is there
//
// A temporary file has a dot in its name. A process that is killed may leave one behind, or an empty file of a claim, or a
// directory that is being removed: `sweep` deletes them once they are old.
//
// Fencing: a claim first creates the file of the next generation, empty and exclusively, and then reads the previous one. A
// writer first writes, and then looks for a newer generation. So either the claim reads what was written, or the writer
// finds itself fenced.

/* eslint max-lines: ["warn", { "max": 300, "skipBlankLines": true, "skipComments": true }] -- One format of files, with everything that reads and writes it. */

import { join } from "node:path";
import { nodeModule } from "../../protocol/node-module.js";
import { codeOf } from "../../shared/code-of.js";
import { HoldfastError } from "../../shared/errors.js";
import { invalidArgument } from "../../shared/option-checks.js";
import { requireOptions, type OptionNames } from "../../shared/option-names.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import { judgeProof } from "../../session/judge-proof.js";
import type { SessionProof } from "../../session/server-session.js";
import { isSessionId } from "../../session/session-id.js";
import { fenced, forgetMessages, notStored } from "../../session/store/memory-store.js";
import { decodeRecord, encodeChanges, encodeRecord } from "../../session/store/record-codec.js";
import type { SessionChange, SessionRecord } from "../../session/store/session-record.js";
import type { Claim, SessionStore } from "../../session/store/session-store.js";

const { randomBytes } = nodeModule("node:crypto");
const { O_APPEND, O_WRONLY } = nodeModule("node:fs").constants;
const { mkdir, open, readdir, readFile, rename, rm, stat } = nodeModule("node:fs/promises");

/** Options of `fileStore()`. */
export interface FileStoreOptions {
  /** The directory for sessions, and for nothing else. It is created, readable by its owner only. */
  readonly directory: string;
}

const FILE_STORE_OPTIONS: OptionNames<FileStoreOptions> = { directory: true };

/**
 * Keeps sessions in files. All servers that share the directory must run on one machine.
 * @throws InvalidArgumentError if `directory` is not a path
 */
export function fileStore(options: FileStoreOptions): SessionStore {
  requireOptions("fileStore()", options, FILE_STORE_OPTIONS);
  const directory: unknown = options.directory;
  if (typeof directory !== "string" || directory === "")
    throw invalidArgument("directory", "a path", directory);
  return new FileStore(directory);
}

const OWNER_ONLY = 0o600;
/** Before the generation and the reason. Without a reason, the session ended deliberately. */
const REMOVED = /^removed-([1-9][0-9]{0,14})-([a-z]*)$/;
const GENERATION = /^[1-9][0-9]{0,14}$/;

/** Milliseconds for which a claimed session stays, so that no `sweep` takes it from its process at once. */
const CLAIM_GRACE = 2_000;

/** Milliseconds after which a file that only a write under way explains is left behind by a process that was killed. */
const LEFT_BEHIND = 60_000;

/** Milliseconds for which a damaged record is kept for inspection. */
const DAMAGED_KEPT = 24 * 60 * 60 * 1000;

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
      await this.#dropUpTo(record.id, record.generation - 1);
    });
  }

  async append(id: string, generation: number, changes: readonly SessionChange[]): Promise<void> {
    const folder = this.#folderOf(id);
    await guard(async () => {
      await this.#checkHeld(id, generation);
      const file = await openExisting(join(folder, String(generation)));
      if (file === null) {
        await this.#checkHeld(id, generation); // Claimed or removed just now.
        throw notStored(id);
      }
      try {
        await file.writeFile(encodeChanges(changes)); // All of it, or it throws.
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
      if (newest === 0 || newest === generationOf(removed)) return;
      if (newest > generation) throw fenced(id);
      const record = forgetMessages(decodeRecord(await readFile(join(folder, String(newest)))));
      const name = `removed-${newest}-${loss ?? ""}`;
      await writeWhole(folder, name, encodeRecord({ ...record, deadline: until }));
      if ((await this.#list(id)).newest > newest) {
        // A claim came first. If it has seen the removal already, the session is lost to both.
        await rm(join(folder, name), { force: true });
        throw fenced(id);
      }
      await rm(join(folder, String(newest)), { force: true });
    });
  }

  async sweep(wallNow: number): Promise<number> {
    return guard(async () => {
      let swept = 0;
      for (const name of await namesIn(this.#directory)) {
        if (isSessionId(name)) {
          if (await this.#sweepOne(name, wallNow)) swept++;
        } else if (name.startsWith(SWEPT)) {
          await rm(join(this.#directory, name), { recursive: true, force: true });
        }
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
    try {
      for (let generation = seen.newest + 1; ; generation++) {
        if (!(await createEmpty(join(folder, String(generation))))) continue; // Another process claims it as well.
        return await this.#continue(id, generation, wallNow);
      }
    } catch (error) {
      if (codeOf(error) === "ENOENT") return lost("unknown"); // Swept meanwhile.
      throw error;
    }
  }

  /** The file of the new generation exists, and is empty. */
  async #continue(id: string, generation: number, wallNow: number): Promise<Claim> {
    const folder = this.#folderOf(id);
    const current = await this.#read(id);
    if (current?.removed !== null) {
      await rm(join(folder, String(generation)), { force: true });
      return lost("unknown"); // Removed or swept meanwhile.
    }
    const record = { ...current.record, generation };
    const deadline = record.deadline === null ? null : Math.max(record.deadline, wallNow + CLAIM_GRACE);
    await writeWhole(folder, String(generation), encodeRecord({ ...record, deadline }));
    const { newest } = await this.#list(id);
    if (newest === generation) await this.#dropUpTo(id, generation - 1);
    return { type: "claimed", record };
  }

  /** The newest record. A file that is empty belongs to a claim that is under way, or that was killed. */
  async #read(id: string): Promise<{ record: SessionRecord; newest: number; removed: string | null } | null> {
    const folder = this.#folderOf(id);
    const { generations, newest, removed } = await this.#list(id);
    const older = generations.filter((each) => each > generationOf(removed));
    for (const name of removed === null ? older : [...older, removed]) {
      const bytes = await readIfPresent(join(folder, String(name)));
      if (bytes === null) return this.#read(id); // A newer generation has just taken its place.
      if (bytes.length > 0) {
        return { record: decodeRecord(bytes), newest, removed: name === removed ? removed : null };
      }
    }
    return null;
  }

  /**
   * The generations of a session, newest first, and the file that says that it was removed: null if there is none, or if
   * a newer generation has a record.
   */
  async #list(
    id: string,
  ): Promise<{ generations: readonly number[]; newest: number; removed: string | null }> {
    const names = await namesIn(this.#folderOf(id));
    const generations = names
      .filter((name) => GENERATION.test(name))
      .map(Number)
      .sort((left, right) => right - left);
    const removals = names.filter((name) => REMOVED.test(name)).sort(byGeneration);
    const removed = removals.at(-1) ?? null;
    const newest = Math.max(generations[0] ?? 0, generationOf(removed));
    return { generations, newest, removed };
  }

  async #checkHeld(id: string, generation: number): Promise<void> {
    const { newest, removed } = await this.#list(id);
    if (newest > generation || generationOf(removed) >= generation) throw fenced(id);
  }

  /** Deletes what a newer generation has replaced. */
  async #dropUpTo(id: string, generation: number): Promise<void> {
    const folder = this.#folderOf(id);
    for (const name of await namesIn(folder)) {
      const isOld = GENERATION.test(name) ? Number(name) <= generation : isRemovedUpTo(name, generation);
      // Forced, since a concurrent claim may drop it as well.
      if (isOld) await rm(join(folder, name), { force: true });
    }
  }

  async #sweepOne(id: string, wallNow: number): Promise<boolean> {
    const folder = this.#folderOf(id);
    await sweepTemporaries(folder, wallNow);
    if (!(await this.#isOver(id, wallNow))) return false;
    // Renamed first, so that no process finds half of it.
    const doomed = join(this.#directory, `${SWEPT}${randomBytes(6).toString("hex")}`);
    try {
      await rename(folder, doomed);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return false; // Another process has swept it.
      throw error;
    }
    await rm(doomed, { recursive: true, force: true });
    return true;
  }

  async #isOver(id: string, wallNow: number): Promise<boolean> {
    try {
      const seen = await this.#read(id);
      // Without a record, it may be about to be saved for the first time.
      if (seen === null) return await isOlderThan(this.#folderOf(id), wallNow - LEFT_BEHIND);
      return (seen.record.deadline ?? Infinity) <= wallNow;
    } catch {
      return isOlderThan(this.#folderOf(id), wallNow - DAMAGED_KEPT);
    }
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
  try {
    const file = await open(temporary, "wx", OWNER_ONLY);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true }); // A full disk must not fill with attempts.
    throw error;
  }
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

async function openExisting(path: string): Promise<Awaited<ReturnType<typeof open>> | null> {
  try {
    return await open(path, O_WRONLY | O_APPEND); // Not "a", which would create a file that was never saved.
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
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

/** Before the name of a directory that is being removed. */
const SWEPT = "swept.";

/** Deletes the temporary files of writes that were killed half-way. */
async function sweepTemporaries(folder: string, wallNow: number): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!name.includes(".")) continue;
    const path = join(folder, name);
    if (await isOlderThan(path, wallNow - LEFT_BEHIND)) await rm(path, { force: true });
  }
}

/** Whether a file or directory was last changed before this time, in epoch milliseconds. False if there is none. */
async function isOlderThan(path: string, time: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < time;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

function isRemovedUpTo(name: string, generation: number): boolean {
  return REMOVED.test(name) && generationOf(name) <= generation;
}

/** Zero for no removal. */
function generationOf(removed: string | null): number {
  return removed === null ? 0 : Number(REMOVED.exec(removed)?.[1]);
}

function byGeneration(left: string, right: string): number {
  return generationOf(left) - generationOf(right);
}

function lossOf(removed: string): SessionLoss {
  const loss = REMOVED.exec(removed)?.[2] ?? "";
  return loss === "" ? "unknown" : (loss as SessionLoss); // `remove` has written it.
}

function lost(reason: SessionLoss): Claim {
  return { type: "lost", reason, error: null };
}
