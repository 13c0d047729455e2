// Options of clients and servers.

import { once } from "node:events";
import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { thrownBy, urlOf, type Scenario, type Socket } from "../trace.js";
import { pair, sent } from "./messages.js";

/** The request that a server gets from a client with these arguments; undone headers are left out. */
function requested(
  argumentsOf: (port: number) => { url?: string; protocols?: string[]; options?: object },
  show: (request: IncomingMessage) => unknown,
): Scenario {
  return async (library, stage) => {
    const server = await stage.serve(library, { host: "127.0.0.1" });
    const { port } = server.address() as { port: number };
    const accepted = once(server, "connection") as Promise<[Socket, IncomingMessage]>;
    const { url = urlOf(server), protocols, options } = argumentsOf(port);
    const client = new library(url, protocols, options);
    await once(client, "open");
    return [show((await accepted)[1]), client.url.replace(String(port), "PORT"), client.protocol];
  };
}

const TEXT = "compressible ".repeat(500);

export const optionScenarios: Readonly<Record<string, Scenario>> = {
  "autoPong: false at the client": sent((client) => client.ping("unanswered"), {
    client: { autoPong: false },
    server: { autoPong: false },
  }),
  "pongs of the application": async (library, stage) => {
    const [client, server] = await pair(library, stage, { client: { autoPong: false } });
    client.on("ping", (data) => client.pong(data));
    const pong = once(server, "pong");
    server.ping("a");
    stage.note(...((await pong) as unknown[]));
  },
  "maxPayload: 0": sent((client) => client.send(Buffer.alloc(300_000)), { server: { maxPayload: 0 } }),
  "options that are falsy, or of another type": async (library, stage) => {
    const sides: readonly (readonly [object, object])[] = [
      ...[false, 0, "", null].flatMap((value) => [
        [{ verifyClient: value, handleProtocols: value, path: value }, {}] as const,
        [{ perMessageDeflate: value, autoPong: value }, { perMessageDeflate: true }] as const,
        [
          { perMessageDeflate: true },
          { perMessageDeflate: value, finishRequest: value, origin: value, followRedirects: value },
        ] as const,
        [{}, { createConnection: value, generateMask: value, autoPong: value, handshakeTimeout: 0 }] as const,
      ]),
      [{ perMessageDeflate: true }, { perMessageDeflate: undefined }],
      [{ perMessageDeflate: 1, autoPong: 1, clientTracking: 1 }, { perMessageDeflate: "yes" }],
      [{ clientTracking: 0 }, {}],
      [{ perMessageDeflate: { zlibDeflateOptions: { level: 0 }, threshold: Infinity } }, {}],
    ];
    for (const [server, client] of sides) {
      const listener = await stage.serve(library, server);
      const accepted = once(listener, "connection") as Promise<[Socket, IncomingMessage]>;
      const socket = new library(urlOf(listener), ["p"], client);
      await once(socket, "open");
      const [peer, { headers }] = await accepted;
      const message = once(peer, "message") as Promise<[Buffer]>;
      socket.send(TEXT);
      const { length } = (await message)[0];
      const count = (listener as { clients?: Set<unknown> }).clients?.size;
      stage.note(socket.protocol, socket.extensions, peer.extensions, headers.origin, length, count);
      socket.terminate();
    }
  },
  "the forms of maxPayload": async (library, stage) => {
    for (const maxPayload of [0, -1, Infinity, NaN, null, 1.5, "10", "many"]) {
      const [client, server] = await pair(library, stage, { server: { maxPayload } });
      const ended = stage.watch(server, String(maxPayload));
      client.send("a");
      client.send("bytes");
      client.send("longer than ten");
      client.close(1000);
      await ended;
    }
  },
  "the forms of closeTimeout": async (library, stage) => {
    for (const closeTimeout of [0, -1, null, "1", NaN, 1.5]) {
      const [client, server] = await pair(library, stage, { client: { closeTimeout } });
      server.pause(); // It never answers.
      const ended = stage.watch(client, String(closeTimeout));
      client.close(1000);
      await ended;
      server.terminate();
    }
  },
  "the options of a server": async (library, stage) => {
    const { options } = await stage.serve(library);
    return Object.entries(options as object)
      .filter(([name]) => name !== "WebSocket")
      .map(([name, value]) => `${name}: ${String(value)}`)
      .sort();
  },
  skipUTF8Validation: sent((client) => client.send("héllo"), {
    client: { skipUTF8Validation: true },
    server: { skipUTF8Validation: true },
  }),
  "the forms of perMessageDeflate": async (library, stage) => {
    const forms = [
      true,
      {},
      { threshold: 0 },
      { serverNoContextTakeover: true, clientNoContextTakeover: true },
      { clientMaxWindowBits: 10 },
      { serverMaxWindowBits: 9 },
      { clientMaxWindowBits: true, serverMaxWindowBits: true },
      {
        zlibDeflateOptions: { level: 9, chunkSize: 1024, memLevel: 9 },
        zlibInflateOptions: { chunkSize: 10_240 },
      },
      { concurrencyLimit: 10 },
    ];
    for (const perMessageDeflate of forms) {
      const [client, server] = await pair(library, stage, { server: { perMessageDeflate } });
      const message = once(server, "message") as Promise<[Buffer]>;
      client.send(TEXT);
      stage.note(client.extensions, server.extensions, (await message)[0].length);
    }
  },
  "finishRequest that waits": requested(
    () => ({
      options: {
        finishRequest: (request: ClientRequest) =>
          setImmediate(() => {
            request.setHeader("X-Late", "yes");
            request.end();
          }),
      },
    }),
    ({ headers }) => headers["x-late"],
  ),
  "createConnection with the options of http": (library, stage) => {
    let seen: unknown = null;
    const scenario = requested(
      (port) => ({
        url: "ws://example.invalid:80/path",
        options: {
          createConnection: (options: { host: string; port: number }) => {
            seen = [options.host, String(options.port)];
            return connect(port, "127.0.0.1");
          },
        },
      }),
      ({ url, headers }) => [url, headers.host, seen],
    );
    return scenario(library, stage);
  },
  "an agent": async (library, stage) => {
    const server = await stage.serve(library);
    const agent = new Agent();
    const { createConnection } = agent as unknown as { createConnection: (...args: unknown[]) => unknown };
    let count = 0;
    Object.assign(agent, {
      createConnection: (...args: unknown[]) => {
        count++;
        return createConnection.apply(agent, args);
      },
    });
    const client = new library(urlOf(server), { agent });
    await once(client, "open");
    return count;
  },
  "lookup and localAddress": requested(
    (port) => ({
      url: `ws://name.invalid:${port}/`,
      options: {
        localAddress: "127.0.0.1",
        lookup: (_: string, { all }: { all?: boolean }, found: (...args: unknown[]) => void) =>
          all === true ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4),
      },
    }),
    ({ socket }) => socket.remoteAddress?.endsWith("127.0.0.1"),
  ),
  "headers, the origin and credentials": requested(
    (port) => ({
      url: `ws://user:secret@127.0.0.1:${port}/path?query`,
      protocols: ["a"],
      options: { headers: { "User-Agent": "me", "X-Many": ["1", "2"] }, origin: "http://origin" },
    }),
    ({ headers, url }) => [url, { ...headers, "sec-websocket-key": "", host: "" }],
  ),
  "the order of the headers": requested(
    () => ({}),
    ({ rawHeaders }) => rawHeaders.filter((_, index) => index % 2 === 0),
  ),
  "an http: URL": requested(
    (port) => ({ url: `http://127.0.0.1:${port}/path` }),
    ({ url }) => url,
  ),
  "arguments of the constructors": (library) =>
    Promise.resolve(
      [
        () => new library(""),
        () => new library("foo"),
        () => new library("ftp://a"),
        () => new library("ws://a#b"),
        () => new library("ws+unix:"),
        () => new library("ws://a", ["b", "b"]),
        () => new library("ws://a", "b c"),
        () => new library("ws://a", { protocolVersion: 7 }),
        () => new library.Server(),
        () => new library.Server({}),
        () => new library.Server({ port: 1, noServer: true }),
      ].map(thrownBy),
    ),
  "what the exports are": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const { _socket: socket, _req: request } = client as unknown as { _socket: object; _req: unknown };
    return [
      [client, server].map((each) => [each instanceof library, each.constructor === library]),
      [
        library.WebSocket === library,
        library.WebSocketServer === library.Server,
        library.name,
        library.Server.name,
      ],
      [library.CONNECTING, library.OPEN, library.CLOSING, library.CLOSED, client.OPEN],
      [socket.constructor.name, request, "dispatchEvent" in client],
    ];
  },
  "properties that cannot be set": async (library, stage) => {
    const [client] = await pair(library, stage);
    return ["readyState", "url", "protocol", "bufferedAmount", "extensions", "isPaused", "OPEN"].map((name) =>
      thrownBy(() => Object.assign(client, { [name]: 1 })).split("|", 1),
    );
  },
  "a subclass": async (library, stage) => {
    class Bracketed extends library {
      override send(data: unknown, ...rest: unknown[]): void {
        super.send(`[${String(data)}]`, ...(rest as []));
      }
    }
    const server = await stage.serve(library);
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const client = new Bracketed(urlOf(server));
    await once(client, "open");
    const message = once((await accepted)[0], "message");
    client.send("a");
    stage.note(client instanceof Bracketed, Bracketed.OPEN, ...((await message) as unknown[]));
  },
};
