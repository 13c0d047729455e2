// The point at which Node decides whether a request with an Upgrade becomes an `upgrade` event. Where it does not, Node
// goes on with the request as with any other: nothing is handed back, and nothing is parsed twice.

import type { IncomingMessage } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import { noteUpgrade, parserOf, watchParser } from "./read-on.js";

/** Whether a request becomes an `upgrade` event; null leaves it to the rule that held before. */
export type UpgradeDecision = (request: IncomingMessage) => boolean | null;

/** Returns a function that takes the decision away again. */
export function hookUpgrades(httpServer: NetServer, decide: UpgradeDecision): () => void {
  const event = httpServer instanceof TlsServer ? "secureConnection" : "connection";
  const decideParsers = !hasCallback(httpServer);
  const onConnection = (socket: Socket): void => {
    const parser = parserOf(socket);
    if (parser === null) return;
    watchParser(parser);
    const { onIncoming } = parser;
    if (!decideParsers || typeof onIncoming !== "function") return;
    parser.onIncoming = (request, keepAlive) => {
      if (
        request.upgrade === true &&
        request.method !== "CONNECT" &&
        decideNoted(request, decide) === false
      ) {
        request.upgrade = false;
      }
      return onIncoming(request, keepAlive);
    };
  };
  // Behind Node's own listener, which makes the parser.
  httpServer.on(event, onConnection);
  const unhook = hasCallback(httpServer) ? hookCallback(httpServer, decide) : () => undefined;
  return () => {
    httpServer.off(event, onConnection);
    unhook();
  };
}

/** A server of Node 24.9, 22.21 or later. Older versions need their parsers told, which do not change any more. */
interface CallbackServer {
  shouldUpgradeCallback: (request: IncomingMessage) => boolean;
}

function hasCallback(httpServer: NetServer): httpServer is NetServer & CallbackServer {
  return "shouldUpgradeCallback" in httpServer && typeof httpServer.shouldUpgradeCallback === "function";
}

function hookCallback(httpServer: NetServer & CallbackServer, decide: UpgradeDecision): () => void {
  const before = httpServer.shouldUpgradeCallback;
  const callback = (request: IncomingMessage): boolean =>
    decideNoted(request, decide) ?? before.call(httpServer, request);
  httpServer.shouldUpgradeCallback = callback;
  return () => {
    if (httpServer.shouldUpgradeCallback === callback) httpServer.shouldUpgradeCallback = before;
  };
}

function decideNoted(request: IncomingMessage, decide: UpgradeDecision): boolean | null {
  const decision = decide(request);
  const parser = parserOf(request.socket);
  if (parser !== null) noteUpgrade(parser, decision !== false);
  return decision;
}
