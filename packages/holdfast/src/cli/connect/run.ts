// `holdfast connect`: exchange messages with a server, on a terminal or in a pipe.

import {
  Client,
  explain,
  heartbeat,
  HoldfastError,
  persist,
  type ClientEvent,
  type Connection,
  type DisconnectedEvent,
} from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";
import { EXIT, hasEndedWell } from "../exit-codes.js";
import { saySession, SessionClient, type SessionEvent } from "../connection/session-client.js";
import { completeURL, peerOptions } from "../connection/peer-options.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { connecting, showProgress } from "../terminal/progress.js";
import { TerminalFrontend } from "./terminal-frontend.js";
import { PipeFrontend } from "./pipe-frontend.js";
import { CurrentConnection } from "../connection/current-connection.js";
import { OpeningFrontend, type Frontend, type FrontendOptions } from "./frontend.js";
import { framingFrom, messagesOf, type Framing } from "./outgoing.js";
import { jsonDisplay, plainDisplay, rawDisplay } from "./display.js";

interface ConnectSettings {
  readonly url: string;
  readonly quietTime: number | null;
  /** Milliseconds; null for none. */
  readonly heartbeat: number | null;
  readonly isReconnecting: boolean;
  readonly hasSession: boolean;
  readonly isJson: boolean;
  readonly isFull: boolean;
  readonly executed: readonly string[];
  readonly framing: Framing;
}

export async function connect(given: Arguments, console: Console): Promise<number> {
  const settings = settingsFrom(given);
  const client = settings.hasSession
    ? new SessionClient(settings.url, peerOptions(given))
    : new Client(settings.url, peerOptions(given));
  console.interrupted.addEventListener("abort", () => void client.close(), { once: true });
  const current = new CurrentConnection();
  const close: FrontendOptions["close"] = (code, reason) => client.close(code, reason);
  const send: FrontendOptions["send"] =
    client instanceof SessionClient
      ? (_connection, message) => client.send(message)
      : (connection, message) => connection.send(message);
  const watchdog = new Watchdog(settings.heartbeat);
  const endProgress = showProgress(console, connecting(settings.url));
  let frontend: Frontend = new OpeningFrontend(console, settings.isJson);
  let last: DisconnectedEvent | null = null;
  for await (const event of eventsOf(client, settings.isReconnecting)) {
    if (!settings.isJson) saySession(event, frontend.console);
    if (event.type === "ready") {
      current.onOpen(event.connection);
      watchdog.watch(event.connection);
      endProgress();
      if (frontend instanceof OpeningFrontend)
        frontend = makeFrontend({ ...settings, console, current, close, send }, settings);
    }
    if (event.type === "disconnected") {
      current.onDisconnected();
      last = event;
    }
    frontend.onEvent(event);
    // Reports the end of each connection; the last end is reported below.
    if (event.type === "backOff" && last !== null) explainEnd(last, watchdog, frontend.console);
  }
  endProgress();
  current.onOver();
  frontend.end();
  return outcome(last, watchdog, console);
}

function settingsFrom(given: Arguments): ConnectSettings {
  const beat = given.duration("heartbeat", null);
  if (beat === null && given.has("heartbeat"))
    throw new UsageError("Leave `--heartbeat` out to switch it off.");
  if (given.has("execute") && given.has("binary"))
    throw new UsageError("`--execute` sends text and does not read stdin: leave `--binary` out.");
  if (given.has("session") && given.text("binary") === "all")
    throw new UsageError(
      "`--session` keeps whole messages, and `--binary=all` sends one while it is being read: leave one out.",
    );
  return {
    url: completeURL(given.operands[0]),
    quietTime: given.duration("wait", 1000),
    heartbeat: beat,
    isReconnecting: given.has("reconnect") || given.has("session"),
    hasSession: given.has("session"),
    isJson: given.has("json"),
    isFull: given.has("full"),
    executed: given.list("execute"),
    framing: framingFrom(given),
  };
}

function eventsOf(
  client: Client | SessionClient,
  isReconnecting: boolean,
): AsyncIterable<ClientEvent | SessionEvent> {
  if (client instanceof SessionClient) return client;
  return isReconnecting ? persist(client) : client;
}

function makeFrontend(
  options: FrontendOptions,
  { isJson, isFull, executed, framing, quietTime }: ConnectSettings,
): Frontend {
  const { console } = options;
  const isByHand = executed.length === 0 && framing.kind === "lines" && !isJson;
  if (isByHand && console.isInputTerminal && console.isOutputTerminal) return new TerminalFrontend(options);
  const input = executed.length > 0 ? nothing() : messagesOf(console.input, framing);
  const isRaw = framing.kind !== "lines" && !console.isOutputTerminal;
  const bare = isRaw ? rawDisplay(console) : plainDisplay(console, isFull);
  return new PipeFrontend({
    ...options,
    display: isJson ? jsonDisplay(console) : bare,
    executed,
    input,
    quietTime,
  });
}

// eslint-disable-next-line @typescript-eslint/require-await -- It takes the place of an input.
async function* nothing(): AsyncGenerator<never> {
  yield* [];
}

function outcome(last: DisconnectedEvent | null, watchdog: Watchdog, console: Console): number {
  if (last === null) return EXIT.interrupted;
  const { info, error } = last;
  const hasOpened = info.evidence.openedAt !== null;
  if (hasOpened && !hasEndedWell(info)) explainEnd(last, watchdog, console);
  if (console.interrupted.aborted) return EXIT.interrupted;
  if (!hasOpened && error !== null) throw error;
  if (hasEndedWell(info)) return EXIT.ok;
  const isLate =
    watchdog.slowness !== null || info.cause === "heartbeat-timeout" || info.cause === "close-timeout";
  return isLate ? EXIT.timeout : EXIT.failed;
}

function explainEnd({ info }: DisconnectedEvent, watchdog: Watchdog, console: Console): void {
  if (watchdog.slowness !== null) console.say(`holdfast: ${watchdog.slowness.message}`);
  console.say(`holdfast: ${escaped(explain(info))}`);
}

/** The heartbeat recipe of trio-websocket: a ping every `interval`, whose pong may take no longer than that. */
class Watchdog {
  readonly #interval: number | null;
  /** The error for which it ended the newest connection; null if it did not. */
  slowness: HoldfastError | null = null;

  constructor(interval: number | null) {
    this.#interval = interval;
  }

  watch(connection: Connection): void {
    this.slowness = null;
    if (this.#interval === null) return;
    heartbeat(connection, { interval: this.#interval, timeout: this.#interval }).catch((error: unknown) => {
      if (connection.state === "closed" || !(error instanceof HoldfastError)) return;
      this.slowness = error;
      connection.terminate();
    });
  }
}
