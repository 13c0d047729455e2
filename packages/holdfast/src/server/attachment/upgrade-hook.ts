// Controls whether Node turns a request with an Upgrade into an `upgrade` event. If not, Node handles it like any other
// request: nothing has to be passed back or parsed twice.

import type { IncomingMessage } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import { ignore } from "../../shared/deferred.js";
import { recordUpgrade, parserOf, watchParser } from "./parser-resume.js";
import { isTlsServer } from "./tls-server.js";

/** Returns whether a request becomes an `upgrade` event; null applies the previous rule. */
export type UpgradeDecision = (request: IncomingMessage) => boolean | null;

/** Functions of parsers that ask for the decision. They stay on connections that outlive an attached server. */
const hooked = new WeakSet();

/** Installs the decision. Returns a function that removes it. */
export function hookUpgrades(httpServer: NetServer, decide: UpgradeDecision): () => void {
  const event = isTlsServer(httpServer) ? "secureConnection" : "connection";
  const decideParsers = !hasCallback(httpServer);
  const onConnection = (socket: Socket): void => {
    const parser = parserOf(socket);
    if (parser === null) return;
    watchParser(parser);
    const { onIncoming } = parser;
    if (!decideParsers || typeof onIncoming !== "function" || hooked.has(onIncoming)) return;
    parser.onIncoming = (request, keepAlive) => {
      if (
        request.upgrade === true &&
        request.method !== "CONNECT" &&
        decideAndRecord(request, decide) === false
      ) {
        request.upgrade = false;
      }
      return onIncoming(request, keepAlive);
    };
    hooked.add(parser.onIncoming);
  };
  // After Node's own listener, which creates the parser.
  httpServer.on(event, onConnection);
  for (const socket of openSockets(httpServer)) onConnection(socket);
  const unhook = hasCallback(httpServer) ? hookCallback(httpServer, decide) : ignore;
  return () => {
    httpServer.off(event, onConnection);
    unhook();
  };
}

/** The clients that connected before. Only an undocumented list of Node has them; without it, they keep Node's rule. */
function openSockets(httpServer: NetServer): readonly Socket[] {
  const key = Object.getOwnPropertySymbols(httpServer).find(
    ({ description }) => description === "http.server.connections",
  );
  if (key === undefined) return [];
  const list = Reflect.get(httpServer, key) as { all?: () => readonly { socket: Socket }[] } | undefined;
  return list?.all?.().map(({ socket }) => socket) ?? [];
}

/** A server of Node 24.9, 22.21 or later. In older versions, which no longer change, each parser has to be patched. */
interface CallbackServer {
  shouldUpgradeCallback: (request: IncomingMessage) => boolean;
}

function hasCallback(httpServer: NetServer): httpServer is NetServer & CallbackServer {
  return "shouldUpgradeCallback" in httpServer && typeof httpServer.shouldUpgradeCallback === "function";
}

function hookCallback(httpServer: NetServer & CallbackServer, decide: UpgradeDecision): () => void {
  const before = httpServer.shouldUpgradeCallback;
  const callback = (request: IncomingMessage): boolean =>
    decideAndRecord(request, decide) ?? before.call(httpServer, request);
  httpServer.shouldUpgradeCallback = callback;
  return () => {
    if (httpServer.shouldUpgradeCallback === callback) httpServer.shouldUpgradeCallback = before;
  };
}

function decideAndRecord(request: IncomingMessage, decide: UpgradeDecision): boolean | null {
  const decision = decide(request);
  const parser = parserOf(request.socket);
  if (parser !== null) recordUpgrade(parser, decision !== false);
  return decision;
}
