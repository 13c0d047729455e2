// One connection over a browser's WebSocket, on a fake clock.

import { FakeClock, SeededRandom } from "holdfast-testkit";
import { overWebSocket } from "../../../build/transport/browser/browser-transport.js";
import { createConnection, type Connection } from "../../../build/connection/connection.js";
import { coreOf } from "../../../build/connection/core-of.js";
import { heartbeatKeepalive } from "../../../build/connection/keepalive/heartbeat-keepalive.js";
import type { CloseInfo } from "../../../build/connection/close-info.js";
import { checkConnectionOptions, type ConnectionOptions } from "../../../build/connection/options.js";
import { Runtime } from "../../../build/connection/runtime.js";
import type { MessageTransportFactory } from "../../../build/connection/message-transport.js";
import { FakeWebSocket } from "./fake-web-socket.js";

export class WireHarness {
  readonly clock = new FakeClock();
  readonly runtime = new Runtime(this.clock, new SeededRandom());
  readonly socket = new FakeWebSocket();
  readonly connection: Connection;
  readonly ends: CloseInfo[] = [];

  /** Keepalive is off unless `pingInterval` is given. */
  constructor(
    options: ConnectionOptions = {},
    layer: (below: MessageTransportFactory) => MessageTransportFactory = (below) => below,
  ) {
    const settings = checkConnectionOptions({ pingInterval: null, ...options });
    const headers = new Headers();
    // The transport uses no other members of a WebSocket than the fake has.
    const socket = this.socket as unknown as WebSocket;
    this.connection = createConnection({
      keepalive: heartbeatKeepalive,
      runtime: this.runtime,
      transport: layer(overWebSocket({ runtime: this.runtime, socket, settings })),
      settings,
      handshake: {
        url: "ws://example.com/",
        request: { method: "GET", target: "/", headers },
        response: { status: 101, headers },
        subprotocol: null,
        extensions: [],
      },
      owner: { onConnectionEnded: (_, info) => this.ends.push(info) },
    });
    coreOf(this.connection).start();
  }

  /** The requests to the browser since the last call. */
  asked(): readonly string[] {
    return this.socket.log.splice(0);
  }
}
