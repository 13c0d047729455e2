// The option `sessions` of `serve()` and `attach()`, and its checks.

import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";
import {
  checkChoice,
  checkDuration,
  checkFunction,
  checkSize,
  invalidArgument,
} from "../../shared/option-checks.js";
import { memoryStore } from "../../session/store/memory-store.js";
import type { SessionStore } from "../../session/store/session-store.js";
import type { ServerRequest } from "../upgrade/server-request.js";

/** When `ack` confirms a message of the client. */
export type SessionAcknowledge = "handled" | "received";

/** The state that survives the end of the server's process. */
export type SessionDurability = "message" | "process" | "shutdown";

/** Options of the sessions of a server. */
export interface ServerSessionOptions {
  /** Milliseconds for which a session without a socket is kept; null for no limit. @default 120000 */
  readonly retain?: number | null | undefined;
  /**
   * Milliseconds after its beginning from which a session cannot be resumed: it ends with the socket that it has then. Null
   * for no limit. @default 86400000, a day
   */
  readonly maxLifetime?: number | null | undefined;
  /**
   * Bytes that all sessions of this server may take: their unconfirmed messages, and 8 KiB for each session without a
   * socket. Above it, sessions without a socket are dropped: those that never carried a message first, and the one that has
   * been without a socket for the longest time first. Null for no limit. @default 268435456, 256 MiB
   */
  readonly memory?: number | null | undefined;
  /**
   * Returns the owner of a request, such as the id of the user. A session can be resumed by its owner only. Called for
   * each socket of a session, after `onRequest`. If it fails, or has no answer after 10 seconds, the socket is closed with
   * 1011. @default everybody who has the session's secret may resume it
   */
  readonly owner?: ((request: ServerRequest) => string | null | PromiseLike<string | null>) | undefined;
  /**
   * When a message of the client is confirmed: `"received"`, once it is in the inbox; `"handled"`, once the application
   * has finished with it: the callback of `forEach()` has settled, or the next message is requested. After a crash, or if
   * a server closes while a message is handled, the next process may be handed the message again. @default "received"
   */
  readonly acknowledge?: SessionAcknowledge | undefined;
  /**
   * `"process"`: sessions live in memory, and end with the process. `"shutdown"`: `server.close()` saves them to the
   * store, from which the next process resumes them. `"message"`: each message is saved before it is sent or confirmed,
   * so that sessions survive a crash, and a client may continue on any server that shares the store.
   * @default "message" with a `store`, "process" without one
   */
  readonly durability?: SessionDurability | undefined;
  /** Keeps sessions for other processes. Required unless `durability` is `"process"`. @default memory of the process */
  readonly store?: SessionStore | undefined;
}

const SESSION_OPTIONS: OptionNames<ServerSessionOptions> = {
  retain: true,
  maxLifetime: true,
  memory: true,
  owner: true,
  acknowledge: true,
  durability: true,
  store: true,
};

export interface SessionSettings {
  readonly retain: number;
  readonly maxLifetime: number | null;
  readonly memory: number;
  readonly owner: ServerSessionOptions["owner"];
  readonly acknowledge: SessionAcknowledge;
  readonly durability: SessionDurability;
  readonly store: SessionStore;
}

/**
 * Null for no sessions.
 * @throws InvalidArgumentError
 */
export function checkSessions(value: unknown): SessionSettings | null {
  if (value === undefined || value === null || value === false) return null;
  if (value !== true && typeof value !== "object") throw invalidArgument("sessions", EXPECTED, value);
  const options: ServerSessionOptions = value === true ? {} : value;
  checkOptionNames("sessions", options, SESSION_OPTIONS);
  const { owner, store } = options;
  if (owner !== undefined) checkFunction("sessions.owner", owner);
  const durability = checkChoice(
    "sessions.durability",
    options.durability,
    ["process", "shutdown", "message"],
    store === undefined ? "process" : "message",
  );
  if (durability !== "process" && store === undefined)
    throw invalidArgument(
      "sessions.store",
      `a store such as fileStore(), since \`durability\` is "${durability}"`,
      store,
    );
  return {
    retain: checkDuration("sessions.retain", options.retain, 120_000) ?? Infinity,
    maxLifetime: checkDuration("sessions.maxLifetime", options.maxLifetime, 24 * 60 * 60 * 1000),
    memory: checkSize("sessions.memory", options.memory, 256 * 1024 * 1024) ?? Infinity,
    owner,
    acknowledge: checkChoice(
      "sessions.acknowledge",
      options.acknowledge,
      ["received", "handled"],
      "received",
    ),
    durability,
    store: store === undefined ? memoryStore() : checkStore(store),
  };
}

const EXPECTED = "true, an object of session options, or null";

function checkStore(value: unknown): SessionStore {
  const methods = ["claim", "save", "append", "remove", "sweep"] as const;
  const candidate = value as Partial<Record<(typeof methods)[number], unknown>> | null;
  const isStore =
    typeof value === "object" && methods.every((method) => typeof candidate?.[method] === "function");
  if (!isStore)
    throw invalidArgument("sessions.store", `an object with the methods ${methods.join(", ")}`, value);
  return value as SessionStore; // Its methods were checked.
}
