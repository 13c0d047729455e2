// Code that the compiler must accept or reject. Nothing runs: the test is that this file compiles.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Client,
  connectPersistent,
  NotSentError,
  persist,
  reconnect,
  type ClientEvent,
  type Connection,
  type PersistentConnection,
  type ClientOptions,
  type ConnectOptions,
  type ConnectPersistentOptions,
  type PersistentOptions,
  type PersistentStatus,
  type PersistOptions,
  type ReconnectOptions,
} from "holdfast";

type Missing<Options> = Exclude<keyof ConnectOptions, keyof Options>;
type Nothing<Type extends never> = Type;

/** F1: every option of `connect()` is one of `Client` and of `reconnect()`; these lines fail to compile otherwise. */
export type ClientHasAll = Nothing<Missing<ClientOptions>>;
export type ReconnectHasAll = Nothing<Missing<ReconnectOptions>>;
export type PersistentHasAll = Nothing<Missing<ConnectPersistentOptions>>;
export type PersistentPersists = Nothing<
  Exclude<keyof PersistentOptions | keyof PersistOptions, keyof ConnectPersistentOptions>
>;
export type ReconnectPersists = Nothing<Exclude<keyof PersistOptions, keyof ReconnectOptions>>;

/** They accept every option of `connect()`. */
export function passOn(options: ConnectOptions): void {
  new Client("ws://localhost/", options);
  reconnect("ws://localhost/", options);
  connectPersistent("ws://localhost/", options);
}

export function provide(): void {
  new Client(() => "ws://localhost/", { headers: async (attempt) => ({ "X-Attempt": String(attempt) }) });
  new Client(async (attempt, signal) => (await fetch(`/${attempt}`, { signal })).text(), {
    subprotocols: () => ["chat"],
    pollInterval: null,
  });
  reconnect((attempt) => new URL(`ws://host-${attempt}/`), { firstDelay: 1, pingInterval: null });
  // @ts-expect-error -- a number is no URL
  new Client(() => 5);
  // @ts-expect-error -- nor is it a header
  new Client("", { headers: () => 5 });
  // @ts-expect-error -- an unknown option
  new Client("", { pingIntervall: 5 });
  // @ts-expect-error -- polls belong to events
  reconnect("", { pollInterval: 5 });
}

export async function persistent(): Promise<void> {
  const link = connectPersistent(async () => "ws://localhost/", {
    offline: "queue",
    queue: { messages: null },
    overflow: "drop-oldest",
    timeToLive: null,
    onOpen: async (connection, { isFirst, signal }) =>
      connection.send(isFirst ? "hello" : "again", { signal }),
  });
  link.on("status", (status) => describeStatus(status))();
  link.on("open", ({ connection, isFirst }) => connection.id + String(isFirst));
  await link.send("text", { timeToLive: 5, compress: false }).catch((error: unknown) => {
    if (error instanceof NotSentError && error.outcome === "unsent") return link.send(new Uint8Array());
    return undefined;
  });
  link satisfies AsyncDisposable & AsyncIterable<string | Uint8Array>;
  // @ts-expect-error -- a message cannot be sent in fragments
  void link.send(["one", "two"]);
  // @ts-expect-error -- an unknown event
  link.on("opened", () => undefined);
  // @ts-expect-error -- an unknown policy
  connectPersistent("", { overflow: "drop" });
}

/** L3: `"resumed"` of a connection has two shapes, which `gap` tells apart; that of a persistent connection has one. */
export function resumed(connection: Connection, link: PersistentConnection): void {
  connection.on("resumed", (event) => {
    event.duration satisfies number;
    if (event.gap === undefined) {
      event.duration satisfies number;
      // @ts-expect-error -- reading resumes: nothing is sent again
      String(event.replayedIn);
    } else {
      [event.gap, event.replayedIn, event.replayedOut] satisfies number[];
    }
    // @ts-expect-error -- it is not known yet which shape it has
    String(event.replayedOut);
  });
  link.on("resumed", ({ gap, replayedIn, replayedOut }) => [gap, replayedIn, replayedOut] satisfies number[]);
  // @ts-expect-error -- a persistent connection reports no pauses
  link.on("resumed", ({ duration }) => duration as unknown);
}

function describeStatus(status: PersistentStatus): string {
  switch (status.state) {
    case "connecting":
    case "open":
      return `${status.attempt}`;
    case "waiting":
      return `${status.delay} ${status.error.message} ${status.info.cause}`;
    case "closing":
      return `${status.since}`;
    case "closed":
      return status.error?.message ?? status.info.message;
  }
}

/** A `switch` over the type narrows, and is complete. */
export function describe(event: ClientEvent): string {
  switch (event.type) {
    case "connecting":
      return event.url ?? "";
    case "connectFail":
    case "protocolError":
      return event.error.code;
    case "connected":
      return event.remoteAddress?.address ?? "";
    case "rejected":
      return `${event.status} ${event.headers.get("Retry-After") ?? ""} ${event.body.length}`;
    case "ready":
      return event.subprotocol ?? event.connection.id;
    case "text":
      return event.text;
    case "binary":
      return `${event.data.length}`;
    case "ping":
      return `${event.payload.length}`;
    case "pong":
      return `${event.roundTrip ?? ""}`;
    case "poll":
      return `${event.at} ${event.receivedAt}`;
    case "suspect":
      return `${event.level} ${event.silence} ${event.expected}`;
    case "suspended":
      return `${event.gap}`;
    case "closing":
    case "closed":
      return `${event.code} ${event.reason}`;
    case "unresponsive":
      return `${event.silence}`;
    case "disconnected":
      return event.error?.message ?? event.info.message;
    case "backOff":
      return `${event.delay} ${event.attempt} ${event.reason}`;
  }
}

test("F1, F9: the options of connect() pass through Client, reconnect() and connectPersistent(), checked by the compiler", () => {
  persist(new Client("ws://localhost/")) satisfies AsyncIterable<ClientEvent>;
});

test("C3: ping() of a client takes a timeout, as that of its connection does, checked by the compiler", async () => {
  const client = new Client("ws://localhost/");
  await assert.rejects(client.ping(null, { timeout: 5_000 }), { code: "ERR_HOLDFAST_INVALID_STATE" });
});
