// The client's opening handshake.

import { createHash } from "node:crypto";
import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";
import { describe, thrownBy, urlOf, type Library, type Scenario } from "../trace.js";

/** An agent that never sends its requests. */
function idleAgent(onRequest: (request: ClientRequest, options: object) => void = () => undefined): Agent {
  return Object.assign(new Agent(), { addRequest: onRequest });
}

/** The headers of the request that these arguments make. */
function headersOf(library: Library, address: string | URL, protocols: string[], options: object): unknown {
  let seen: unknown = null;
  const agent = idleAgent((request) => {
    const headers = { ...request.getHeaders() };
    headers["sec-websocket-key"] = `${String(headers["sec-websocket-key"]).length} characters`;
    seen = [request.path, headers];
  });
  new library(address, protocols, { ...options, agent });
  return seen;
}

/** Plays a server that answers the upgrade with these lines. */
function answered(
  lines: (accept: string) => readonly string[],
  options: object = {},
  protocols: string[] = [],
): Scenario {
  return async (library, stage) => {
    const server = await stage.http((request, socket) => {
      socket.on("end", () => socket.end());
      socket.write(`${lines(acceptFor(request)).join("\r\n")}\r\n\r\n`);
    });
    const client = new library(urlOf(server), protocols, options);
    client.on("upgrade", (response) => stage.note("upgrade", response.statusCode));
    await stage.watch(client);
  };
}

export function acceptFor({ headers }: IncomingMessage): string {
  const text = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  return createHash("sha1").update(text).digest("base64");
}

export const switching = (accept: string, ...more: readonly string[]): readonly string[] => [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Accept: ${accept}`,
  ...more,
];

export const clientScenarios: Readonly<Record<string, Scenario>> = {
  "invalid URLs": (library) =>
    Promise.resolve(
      ["foo", "bad://a", "ws+unix:", "wss://a#b", "ftp://a"].map((url) => thrownBy(() => new library(url))),
    ),
  "invalid subprotocols": (library) =>
    Promise.resolve(
      [null, "", "a,b", ["a", "a"], [5]].map((value) =>
        thrownBy(() => new library("ws://a", value as string[])),
      ),
    ),
  "an unsupported version": (library) =>
    Promise.resolve(thrownBy(() => new library("ws://a", { protocolVersion: 1000 }))),
  "the request's headers": (library) =>
    Promise.resolve([
      headersOf(library, "ws://localhost", [], {}),
      headersOf(library, "ws://localhost:80/a?b", ["x", "y"], { headers: { Cookie: "foo=bar" } }),
      headersOf(library, "ws://localhost:8080", [], {
        origin: "https://a.example",
        perMessageDeflate: false,
      }),
      headersOf(library, "ws://localhost", [], { origin: "https://a.example", protocolVersion: 8 }),
      headersOf(library, "ws://user:p%40ss@localhost", [], {}),
      headersOf(library, "ws://localhost", [], { auth: "a:b" }),
      headersOf(library, "ws://c:d@localhost", [], { auth: "a:b" }),
      headersOf(library, new URL("ws://[::1]"), [], {}),
      headersOf(library, "ws://localhost", [], {
        perMessageDeflate: {
          clientNoContextTakeover: true,
          serverNoContextTakeover: true,
          clientMaxWindowBits: true,
          serverMaxWindowBits: 10,
        },
      }),
    ]),
  "attributes before it opens": (library) => {
    const client = new library("http://localhost/", { agent: idleAgent() });
    const { binaryType, bufferedAmount, extensions, isPaused, protocol, readyState, url } = client;
    client.pause();
    client.resume();
    const errors = [() => client.send("a"), () => client.ping(), () => client.pong()].map(thrownBy);
    return Promise.resolve([
      [binaryType, bufferedAmount, extensions, isPaused, protocol, readyState, url, client.isPaused],
      errors,
    ]);
  },
  "constants and attributes": (library) =>
    Promise.resolve([
      ["CONNECTING", "OPEN", "CLOSING", "CLOSED"].flatMap((name) => [
        Object.getOwnPropertyDescriptor(library, name),
        Object.getOwnPropertyDescriptor(library.prototype, name),
      ]),
      ["binaryType", "bufferedAmount", "extensions", "isPaused", "protocol", "readyState", "url"]
        .concat(["onopen", "onclose", "onerror", "onmessage"])
        .map((name) => {
          const found = Object.getOwnPropertyDescriptor(library.prototype, name);
          return [name, found?.configurable, found?.enumerable, typeof found?.get, typeof found?.set];
        }),
    ]),
  "no Upgrade in the answer": answered(() => [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: foo",
  ]),
  "a wrong Sec-WebSocket-Accept": answered(() => switching("CxYS6+NgJSBG74mdgLvGscRvpns=")),
  "a status other than 101": answered(() => ["HTTP/1.1 401 Unauthorized", "Content-Length: 0"]),
  "a redirect that is not followed": answered(() => [
    "HTTP/1.1 301 Moved",
    "Location: /x",
    "Content-Length: 0",
  ]),
  "an extension that was not offered": answered(
    (accept) => switching(accept, "Sec-WebSocket-Extensions: foo"),
    {
      perMessageDeflate: false,
    },
  ),
  "another extension": answered((accept) => switching(accept, "Sec-WebSocket-Extensions: foo")),
  "two extensions": answered((accept) =>
    switching(accept, "Sec-WebSocket-Extensions: permessage-deflate,foo"),
  ),
  "a malformed extension": answered((accept) => switching(accept, "Sec-WebSocket-Extensions: foo;=")),
  "an invalid parameter of the extension": answered((accept) =>
    switching(accept, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=7"),
  ),
  "a subprotocol that was not offered": answered((accept) =>
    switching(accept, "Sec-WebSocket-Protocol: foo"),
  ),
  "another subprotocol": answered((accept) => switching(accept, "Sec-WebSocket-Protocol: foo"), {}, ["bar"]),
  "no subprotocol": answered((accept) => switching(accept), {}, ["bar"]),
  "an empty subprotocol": answered((accept) => switching(accept, "Sec-WebSocket-Protocol:"), {}, ["bar"]),
  "no answer in time": async (library, stage) => {
    const server = await stage.http(() => undefined);
    await stage.watch(new library(urlOf(server), { handshakeTimeout: 60 }));
  },
  "a refused connection": async (library, stage) => {
    const server = await stage.http(() => undefined);
    const url = urlOf(server);
    await new Promise((resolve) => server.close(resolve));
    const client = new library(url);
    client.on("error", (error) => stage.note((error as NodeJS.ErrnoException).code));
    await new Promise((resolve) => client.on("close", resolve));
    stage.note(client.readyState);
  },
  "close() and terminate() while connecting": async (library, stage) => {
    const server = await stage.http(() => undefined);
    for (const method of ["close", "terminate"] as const) {
      const client = new library(urlOf(server));
      const closed = stage.watch(client);
      client[method]();
      stage.note(client.readyState);
      client[method]();
      await closed;
    }
  },
  "close() in a listener of upgrade": async (library, stage) => {
    const server = await stage.serve(library);
    const client = new library(urlOf(server));
    client.on("upgrade", () => client.close());
    await stage.watch(client);
  },
  "unexpected-response": async (library, stage) => {
    const server = await stage.http((_, socket) =>
      socket.end("HTTP/1.1 402 Payment Required\r\nContent-Length: 3\r\nConnection: close\r\n\r\nfoo"),
    );
    const client = new library(urlOf(server));
    const closed = stage.watch(client);
    client.on("unexpected-response", (request, response) => {
      stage.note(request.path, response.statusCode);
      response.on("data", (chunk) => stage.note(chunk));
      response.on("end", () => client.close());
    });
    await closed;
  },
  "the options createConnection and finishRequest": async (library, stage) => {
    const server = await stage.serve(library);
    server.on("connection", (socket, request) => {
      stage.note(request.headers.cookie, request.headers.host);
      socket.close();
    });
    const { port } = server.address() as { port: number };
    const client = new library("ws://example.org:22/foo", {
      createConnection: ((options: { host: string; port: string }) => {
        stage.note(options.host, options.port);
        return connect(port);
      }) as never,
      finishRequest(request, websocket) {
        stage.note(websocket instanceof library, request.getHeader("host"));
        request.setHeader("Cookie", "foo=bar");
        request.end();
      },
    });
    await stage.watch(client);
  },
  "a Unix socket": async (library, stage) => {
    const path = `/tmp/holdfast-ws-${process.pid}-${Math.random().toString(36).slice(2)}.sock`;
    const { createServer } = await import("node:http");
    const http = createServer();
    http.listen(path);
    await once(http, "listening");
    const server = new library.Server({ server: http });
    server.on("connection", (socket, request) => {
      stage.note(request.url, request.headers.host);
      socket.close();
    });
    await stage.watch(new library(`ws+unix:${path}:/foo?bar=bar`));
    await stage.watch(new library(`ws+unix:${path}`));
    http.close();
  },
  "an answer that is not HTTP": async (library, stage) => {
    const { createServer } = await import("node:net");
    const server = createServer((socket) => {
      socket.on("error", () => undefined).resume();
      socket.write("foo\r\n");
    });
    server.listen(0);
    await once(server, "listening");
    const client = new library(urlOf(server));
    client.on("error", (error) => stage.note(describe(error).split("|")[1]));
    const closed = new Promise((resolve) => client.on("close", resolve));
    await closed;
    server.close();
  },
  "frames that arrive with the response": async (library, stage) => {
    const server = await stage.http((request, socket) => {
      socket.on("data", () => socket.end()); // The answer to the Close.
      const head = `${switching(acceptFor(request)).join("\r\n")}\r\n\r\n`;
      socket.write(
        Buffer.concat([Buffer.from(head), Buffer.from("810161", "hex"), Buffer.from("8800", "hex")]),
      );
    });
    const client = new library(urlOf(server));
    client.on("open", () => {
      const { _socket: socket } = client as unknown as { _socket: NodeJS.EventEmitter };
      socket.on("data", (chunk) => stage.note("data", chunk));
    });
    await stage.watch(client);
  },
};
