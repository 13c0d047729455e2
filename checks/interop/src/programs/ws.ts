// The npm package ws as a peer. Its settings are options of its server and client, `subprotocols` to offer,
// and `tls`.

import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { endWithStdin, forEachURL, report, role, settings } from "./harness.js";
import { type NamedScript, scriptOf } from "./script-of.js";

interface Settings {
  readonly subprotocols?: string[];
  readonly tls?: { readonly ca?: string };
}

function play(socket: WebSocket, script: NamedScript): Promise<void> {
  const { id } = script;
  if (script.do === "fragments") {
    for (const part of ["Grü", "ße, ", ""]) socket.send(part, { fin: false });
    socket.send("世界");
    for (const part of [Uint8Array.of(0, 1), Uint8Array.of()]) socket.send(part, { fin: false });
    socket.send(Uint8Array.of(2));
  } else if (script.do === "ping") {
    const sentAt = performance.now();
    socket.once("pong", () => report({ event: "pong", id, latency: performance.now() - sentAt }));
    socket.ping("are you there?");
  } else if (script.do === "close") {
    socket.close(script.code, script.reason);
  }
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", (code, reason) => {
      const received = { code, reason: reason.toString() };
      report({ event: "closed", id, says: `${code} ${received.reason}`, received });
      resolve();
    });
  });
}

function open(url: string, script: NamedScript): Promise<void> {
  const { subprotocols = [], tls, ...options } = settings as ClientOptions & Settings;
  const socket = new WebSocket(url, subprotocols, { ...options, ...tls });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("open", () => resolve(play(socket, script)));
  });
}

if (role === "server") {
  endWithStdin();
  const { tls, ...options } = settings;
  const listener = tls === undefined ? createServer() : createSecureServer(tls);
  const server = new WebSocketServer({ ...options, server: listener });
  server.on("connection", (socket, request) => {
    const script = scriptOf(request.url ?? "/");
    play(socket, script).catch((error: unknown) =>
      report({ event: "failed", id: script.id, says: String(error) }),
    );
  });
  listener.listen(0, "127.0.0.1", () => {
    report({ event: "listening", port: (listener.address() as AddressInfo).port }); // The server listens on TCP.
  });
} else {
  forEachURL(open);
}
