// `holdfast serve`: an echo server that can simulate faults.

import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { attach, explain, type AttachOptions, type Connection, type ServerRequest } from "../../index.js";
import { parseCount, type Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";
import { EXIT } from "../exit-codes.js";
import { detectionOption, messageOptions, pemFiles } from "../connection/peer-options.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { faultsFrom, type Faults } from "./faults.js";
import { echo } from "./faulty-echo.js";
import { topicsFrom } from "./topics.js";
import { jsonLine } from "../terminal/json.js";

/** How long clients may take to answer the Close at the end, in milliseconds. */
const CLOSE_TIMEOUT = 1000;

export async function serveEcho(given: Arguments, console: Console): Promise<number> {
  const faults = faultsFrom(given);
  const port = portFrom(given.operands[0] ?? "8080");
  const host = given.text("host") ?? "127.0.0.1";
  const topics = topicsFrom(given, host);
  const httpServer = makeHttpServer(given);
  const sockets = trackSockets(httpServer);
  const log = new ServerLog(console, given.has("json"));
  const pingInterval = given.duration("ping-interval", undefined);
  const pingTimeout = given.duration("ping-timeout", undefined);
  const server = attach(
    httpServer,
    async (connection, request) => {
      log.onOpen(connection, request);
      topics?.open(connection, { authorize: () => true, publish: () => true });
      const socket = (): Socket | undefined => sockets.get(socketKey(connection.remoteAddress));
      await echo(connection, faults, {
        stall: () => socket()?.pause(),
        // terminate() would end the session as well.
        drop: () => (connection.session === null ? connection.terminate() : socket()?.destroy()),
      });
      log.onEnd(connection, explain(await connection.closed), await connection.closed);
    },
    {
      // Echoes are not secret, but a page that the user visits must not read the topics of other clients.
      origins: topics === null || given.has("allow-anyone") ? "any" : "same-origin",
      autoPong: !faults.inhibitPongs,
      compression: given.has("compress"),
      subprotocols: given.list("subprotocol"),
      ...messageOptions(given),
      ...(pingInterval === undefined ? {} : { pingInterval }),
      ...(pingTimeout === undefined ? {} : { pingTimeout }),
      ...detectionOption(given),
      ...sessionOptions(given),
      ...(faults.isMute ? { openTimeout: null } : {}),
      onRequest: (request) => answerTo(request, faults, log),
    },
  );
  await listen(httpServer, port, host);
  const { address, port: actualPort, family } = httpServer.address() as AddressInfo; // It listens on a port.
  const name = family === "IPv6" ? `[${address}]` : address;
  log.onListening(`${given.has("cert") ? "wss" : "ws"}://${name}:${actualPort}/`);
  if (topics !== null) log.onTopics(given.has("allow-anyone"));
  if (!console.interrupted.aborted) await once(console.interrupted, "abort");
  log.onClosing(server.connections.size);
  await server.close({ code: 1001, timeout: CLOSE_TIMEOUT });
  await topics?.close();
  httpServer.close();
  httpServer.closeAllConnections();
  return EXIT.ok;
}

function sessionOptions(given: Arguments): Pick<AttachOptions, "sessions"> {
  const retain = given.duration("retain", undefined);
  if (!given.has("sessions")) {
    if (given.has("retain")) throw new UsageError("`--retain` is for `--sessions`: add it.");
    return {};
  }
  if (retain === null) throw new UsageError("Expected `--retain` to be a time such as 10s, got off.");
  return { sessions: retain === undefined ? true : { retain } };
}

function makeHttpServer(given: Arguments): HttpServer {
  const files = pemFiles(given);
  const server = given.has("cert") ? createTlsServer(files) : createServer();
  return server.on("request", (_request, response) => {
    response.writeHead(426, { "Content-Type": "text/plain", Upgrade: "websocket" });
    response.end("This is a WebSocket server: holdfast connect ws://…\n");
  });
}

/** The open sockets, by the client's address and port. */
function trackSockets(server: HttpServer): ReadonlyMap<string, Socket> {
  const sockets = new Map<string, Socket>();
  const track = (socket: Socket): void => {
    const key = socketKey({ address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 });
    sockets.set(key, socket);
    socket.once("close", () => sockets.delete(key));
  };
  server.on("connection", track);
  // With TLS the data is read from this stream; it replaces the socket below it.
  server.on("secureConnection", track);
  return sockets;
}

function socketKey(address: Connection["remoteAddress"]): string {
  return `${address?.address ?? ""} ${address?.port ?? 0}`;
}

async function answerTo(request: ServerRequest, faults: Faults, log: ServerLog): Promise<Response | null> {
  if (faults.isMute) {
    log.onIgnored(request);
    await new Promise(() => undefined);
  }
  if (faults.refuseWith === null) return null;
  log.onRefused(request, faults.refuseWith);
  const body = faults.refuseWith === 304 ? null : "Refused because of --refuse.\n"; // A 304 has no body.
  return new Response(body, { status: faults.refuseWith });
}

async function listen(server: HttpServer, port: number, host: string): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new UsageError(
      `Cannot listen on port ${port} of ${host}: ${(error as Error).message}. Try another port.`,
    );
  }
}

function portFrom(text: string): number {
  const port = parseCount(text, 0, 65_535);
  if (port !== null) return port;
  throw new UsageError(`Expected the port to be a number from 0 to 65535, got "${text}".`);
}

/** Reports connections and their ends. */
class ServerLog {
  readonly #console: Console;
  readonly #isJson: boolean;

  constructor(console: Console, isJson: boolean) {
    this.#console = console;
    this.#isJson = isJson;
  }

  onListening(url: string): void {
    if (this.#isJson) this.#console.print(jsonLine({ type: "listening", url }));
    else this.#console.print(url);
  }

  onTopics(isForAnyone: boolean): void {
    const who = isForAnyone ? "every client, of any machine and page," : "every client of this machine";
    this.#line(
      { type: "topics", isForAnyone },
      `topics: ${who} may publish and subscribe; the history is in memory`,
    );
  }

  onOpen(connection: Connection, { target }: ServerRequest): void {
    const { id, subprotocol, remoteAddress, session } = connection;
    const client = addressText(remoteAddress);
    const extra = subprotocol === null ? "" : `, subprotocol ${escaped(subprotocol)}`;
    const sessionId = session?.id;
    this.#line(
      {
        type: "open",
        id,
        client,
        target,
        subprotocol,
        ...(sessionId === undefined ? {} : { session: sessionId }),
      },
      `${id} open: ${client} ${escaped(target)}${extra}${sessionId === undefined ? "" : `, session ${sessionId}`}`,
    );
    connection.on("detached", ({ info }) => {
      const explanation = explain(info);
      const { code, cause } = info;
      this.#line(
        { type: "detached", id, code, cause, explanation },
        `${id} detached: ${escaped(explanation)}`,
      );
    });
    connection.on("resumed", (event) => {
      if (event.gap === undefined) return; // Reading has resumed.
      const { gap, replayedIn, replayedOut } = event;
      this.#line(
        { type: "resumed", id, client: addressText(connection.remoteAddress), gap, replayedIn, replayedOut },
        `${id} resumed after ${(gap / 1000).toFixed(1)} s: ${replayedIn} received again, ${replayedOut} sent again`,
      );
    });
    connection.on("lost", ({ reason, unsent, unknown }) => {
      this.#line({ type: "lost", id, reason, unsent, unknown }, `${id} session lost: ${reason}`);
    });
  }

  onEnd(
    { id }: Connection,
    explanation: string,
    { code, cause, message, evidence }: Awaited<Connection["closed"]>,
  ): void {
    const { messagesReceived } = evidence;
    this.#line(
      { type: "end", id, code, cause, message, messagesReceived },
      `${id} ended after ${messagesReceived} ${messagesReceived === 1 ? "message" : "messages"}: ${escaped(explanation)}`,
    );
  }

  onRefused({ target, remoteAddress }: ServerRequest, status: number): void {
    const client = addressText(remoteAddress);
    this.#line(
      { type: "refused", client, target, status },
      `refused with ${status}: ${client} ${escaped(target)}`,
    );
  }

  onIgnored({ target, remoteAddress }: ServerRequest): void {
    const client = addressText(remoteAddress);
    this.#line({ type: "ignored", client, target }, `not answered: ${client} ${escaped(target)}`);
  }

  onClosing(connections: number): void {
    const count = connections === 1 ? "1 connection" : `${connections} connections`;
    if (connections > 0)
      this.#line({ type: "closing", connections, code: 1001 }, `closing ${count} with 1001`);
  }

  #line(json: object, text: string): void {
    if (this.#isJson) this.#console.print(jsonLine(json));
    else this.#console.say(text);
  }
}

function addressText(address: Connection["remoteAddress"]): string {
  return address === null ? "unknown client" : `${address.address} port ${address.port}`;
}
