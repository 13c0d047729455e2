// The server's opening handshake and its lifetime.

import { once } from "node:events";
import { createServer, request as send } from "node:http";
import type { Duplex } from "node:stream";
import { thrownBy, urlOf, type Scenario, type Socket } from "../trace.js";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const HEADERS = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Key": KEY,
  "Sec-WebSocket-Version": "13",
};

/** The response to a request with these headers, sent to a server with these options. */
function responded(
  headers: Readonly<Record<string, string | undefined>>,
  options: object = {},
  rest: object = {},
): Scenario {
  return async (library, stage) => {
    const server = await stage.serve(library, options);
    server.on("connection", (socket) => socket.close());
    const all: Record<string, string | undefined> = { ...HEADERS, ...headers };
    const wanted = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const { port } = server.address() as { port: number };
    const request = send({ port, headers: wanted as Record<string, string>, ...rest });
    request.end();
    return new Promise((resolve, reject) => {
      request.on("error", reject);
      request.on("upgrade", (response, socket) => {
        socket.destroy();
        resolve([response.statusCode, withoutDate(response.headers)]);
      });
      request.on("response", (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => resolve([response.statusCode, withoutDate(response.headers), body]));
      });
    });
  };
}

function withoutDate(headers: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "date"));
}

export const serverScenarios: Readonly<Record<string, Scenario>> = {
  "invalid combinations of options": (library) =>
    Promise.resolve(
      [undefined, {}, { port: 0, noServer: true }, { port: 0, server: createServer() }].map((options) =>
        thrownBy(() => new library.Server(options)),
      ),
    ),
  "an upgrade": responded({}),
  "an upgrade of version 8": responded({ "Sec-WebSocket-Version": "8" }),
  "a request without an upgrade": responded({ Connection: undefined, Upgrade: undefined }),
  "another method": responded({}, {}, { method: "POST" }),
  "another upgrade": responded({ Upgrade: "foo" }),
  "no key": responded({ "Sec-WebSocket-Key": undefined }),
  "a short key": responded({ "Sec-WebSocket-Key": "P5l8BJcZwRc=" }),
  "no version": responded({ "Sec-WebSocket-Version": undefined }),
  "another version": responded({ "Sec-WebSocket-Version": "12" }),
  "a malformed subprotocol": responded({ "Sec-WebSocket-Protocol": "foo;bar" }),
  "a repeated subprotocol": responded({ "Sec-WebSocket-Protocol": "foo, foo" }),
  "the first subprotocol": responded({ "Sec-WebSocket-Protocol": "foo, bar" }),
  handleProtocols: responded(
    { "Sec-WebSocket-Protocol": "foo, bar" },
    { handleProtocols: (offered: Set<string>) => [...offered][1] },
  ),
  "handleProtocols that chooses none": responded(
    { "Sec-WebSocket-Protocol": "foo" },
    { handleProtocols: () => false },
  ),
  "another path": responded({}, { path: "/ws" }),
  "the path": responded({}, { path: "/ws" }, { path: "/ws?a=b" }),
  "compression that is offered": responded(
    { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" },
    { perMessageDeflate: { clientMaxWindowBits: 10 } },
  ),
  "compression with a window that the client does not offer to limit": responded(
    { "Sec-WebSocket-Extensions": "permessage-deflate" },
    { perMessageDeflate: { clientMaxWindowBits: 9 } },
  ),
  "compression with a window below that of the server": responded(
    { "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=9" },
    { perMessageDeflate: { serverMaxWindowBits: 10 } },
  ),
  "compression with a parameter that the server refuses": responded(
    { "Sec-WebSocket-Extensions": "permessage-deflate; server_no_context_takeover" },
    { perMessageDeflate: { serverNoContextTakeover: false } },
  ),
  "the second offer of compression": responded(
    { "Sec-WebSocket-Extensions": "permessage-deflate, permessage-deflate; client_max_window_bits" },
    { perMessageDeflate: { clientMaxWindowBits: 9 } },
  ),
  "compression that is disabled": responded({ "Sec-WebSocket-Extensions": "permessage-deflate" }),
  "invalid parameters of compression": responded(
    { "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=foo" },
    { perMessageDeflate: true },
  ),
  "an unknown extension": responded({ "Sec-WebSocket-Extensions": "foo; bar" }, { perMessageDeflate: true }),
  "verifyClient that refuses": responded({}, { verifyClient: () => false }),
  "verifyClient that accepts": responded(
    { Origin: "https://a.example" },
    {
      verifyClient: ({ origin, secure, req }: { origin: string; secure: boolean; req: { url: string } }) =>
        origin === "https://a.example" && !secure && req.url === "/",
    },
  ),
  "verifyClient with a callback": responded(
    {},
    {
      verifyClient: (_: object, done: (...args: unknown[]) => void) => setImmediate(done, true),
    },
  ),
  "verifyClient with a callback that refuses": responded(
    {},
    {
      verifyClient: (_: object, done: (...args: unknown[]) => void) =>
        setImmediate(done, false, 404, "Nothing here", { "Retry-After": 120 }),
    },
  ),
  "a listener of headers": async (library, stage) => {
    const server = await stage.serve(library);
    server.on("headers", (headers, request) => {
      stage.note(headers.length, headers[0], request.url);
      headers.push("X-Mine: yes");
    });
    server.on("connection", (socket) => socket.close());
    const client = new library(urlOf(server));
    client.on("upgrade", ({ headers }) => stage.note(headers["x-mine"]));
    await stage.watch(client);
  },
  "a listener of wsClientError": async (library, stage) => {
    const server = await stage.serve(library);
    server.on("wsClientError", (error, socket, request) => {
      stage.note(error.message, request.method);
      socket.end("HTTP/1.1 418 Teapot\r\n\r\n");
    });
    const { port } = server.address() as { port: number };
    const request = send({ port, method: "POST", headers: HEADERS });
    request.end();
    const [response] = (await once(request, "response")) as [{ statusCode: number }];
    return response.statusCode;
  },
  "handleUpgrade of a server without a server": async (library, stage) => {
    const server = new library.Server({ noServer: true, clientTracking: true });
    const http = await stage.http((request, socket, head) => {
      server.handleUpgrade(request, socket, head, (websocket, again) => {
        stage.note(again === request, websocket.readyState, server.clients.size, websocket.protocol);
        websocket.send("hello");
        websocket.close();
      });
      stage.note(thrownBy(() => server.handleUpgrade(request, socket, head, () => undefined)));
    });
    await stage.watch(new library(urlOf(http)));
    return thrownBy(() => server.address());
  },
  "a class of the application": async (library, stage) => {
    class Own extends library {
      readonly own = true;
    }
    const server = await stage.serve(library, { WebSocket: Own });
    server.on("connection", (socket) => {
      stage.note(socket instanceof Own, (socket as Own).own);
      socket.close();
    });
    await stage.watch(new library(urlOf(server)));
  },
  "close() with and without clients": async (library, stage) => {
    const server = await stage.serve(library);
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const client = new library(urlOf(server));
    const closed = stage.watch(client);
    const [socket] = await accepted;
    await (client.readyState === 0 ? once(client, "open") : undefined);
    const over = new Promise<void>((resolve) => server.close(() => resolve()));
    server.on("close", () => stage.note("server closed"));
    server.close();
    stage.note(server.address());
    socket.close();
    await closed;
    await over;
    await new Promise<void>((resolve) =>
      server.close((error) => {
        stage.note(error?.message);
        resolve();
      }),
    );
  },
  "close() of a server on a server": async (library, stage) => {
    const http = createServer();
    const server = new library.Server({ server: http });
    await once(http.listen(0), "listening");
    await new Promise<void>((resolve) => server.close(() => resolve()));
    stage.note(http.listening, ...["upgrade", "listening", "error"].map((name) => http.listenerCount(name)));
    http.close();
  },
  "an upgrade while the server closes": async (library, stage) => {
    const server = new library.Server({ noServer: true });
    const http = await stage.http((request, socket: Duplex, head) => {
      server.close();
      server.handleUpgrade(request, socket, head, () => stage.note("accepted"));
    });
    await stage.watch(new library(urlOf(http)));
  },
  "a port that is taken": async (library, stage) => {
    const server = await stage.serve(library);
    const { port } = server.address() as { port: number };
    const [error] = (await once(new library.Server({ port }), "error")) as [NodeJS.ErrnoException];
    return error.code;
  },
  "clientTracking: false": async (library, stage) => {
    const server = await stage.serve(library, { clientTracking: false });
    server.on("connection", (socket) => socket.close());
    await stage.watch(new library(urlOf(server)));
    return server.clients;
  },
  shouldHandle: (library) => {
    const server = new library.Server({ noServer: true, path: "/foo" });
    return Promise.resolve(
      ["/foo", "/foo?bar", "/bar", "/foo/"].map((url) => server.shouldHandle({ url } as never)),
    );
  },
};
