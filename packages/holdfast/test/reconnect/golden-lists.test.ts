// A2: the events of a client for each of sixteen peers. All on real sockets, except the unreachable host and the name
// server: there the lookup function (an option of `tls.connect` that is passed to the socket) simulates the network.

import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { Client, type ClientEvent, type ClientOptions, type CloseInfo } from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  RawServer,
  testCertificates,
  type AcceptOptions,
  type RawScript,
  type RawServerPeer,
  type RawServerOptions,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";
import { unusedPort } from "./unused-port.js";
import { Consumer } from "./consumer.js";
import { assertOneAttempt } from "./grammar.js";

interface Scene {
  readonly peer: string;
  /** The script of the server; null for no server. */
  readonly script: RawScript | null;
  readonly server?: (certificates: TestCertificates) => RawServerOptions;
  readonly url?: (port: number) => string;
  readonly options?: ClientOptions;
  readonly body?: (event: ClientEvent, client: Client) => unknown;
  /** The expected events, each with its state. */
  readonly events: readonly string[];
  readonly end: Pick<CloseInfo, "cause" | "message">;
}

const NONE = "no close frame received or sent";
const OPENED = ["connecting connecting", "connected connecting", "ready open", "poll open"];

/** A name lookup that ends in this error. */
const lookup = (code: string): ClientOptions => ({
  tls: {
    lookup: (_host, _options, callback) =>
      process.nextTick(callback, Object.assign(new Error(`lookup ${code}`), { code }), ""),
  },
});

const open = async (peer: RawServerPeer, options: AcceptOptions = {}): Promise<void> => {
  await peer.acceptUpgrade(options);
};

const closeOnPoll = (event: ClientEvent, client: Client): void => {
  if (event.type === "poll") void client.close();
};

const SCENES: readonly Scene[] = [
  {
    peer: "1. nothing listens",
    script: null,
    events: ["connecting connecting", "connectFail closed", "disconnected closed"],
    end: { cause: "refused", message: NONE },
  },
  {
    peer: "2. a name that does not resolve",
    script: null,
    url: () => "wss://no-such-host.test/",
    options: lookup("ENOTFOUND"),
    events: ["connecting connecting", "connectFail closed", "disconnected closed"],
    end: { cause: "dns", message: NONE },
  },
  {
    peer: "3. a host that cannot be reached",
    script: null,
    url: () => "wss://far-away.test/",
    options: {
      createConnection: () => Promise.reject(Object.assign(new Error("no route"), { code: "EHOSTUNREACH" })),
    },
    events: ["connecting connecting", "connectFail closed", "disconnected closed"],
    end: { cause: "unreachable", message: NONE },
  },
  {
    peer: "4. a certificate that is not accepted",
    script: () => undefined,
    server: ({ server }) => ({ tls: server }),
    url: (port) => `wss://127.0.0.1:${port}/`,
    events: ["connecting connecting", "connectFail closed", "disconnected closed"],
    end: { cause: "tls", message: NONE },
  },
  {
    peer: "5. mute before the upgrade",
    script: (peer) => void peer.readHead().catch(() => undefined),
    options: { openTimeout: 1_000 },
    events: ["connecting connecting", "connected connecting", "disconnected closed"],
    end: { cause: "open-timeout", message: NONE },
  },
  {
    peer: "6. FIN before the upgrade",
    script: async (peer) => {
      await peer.readHead();
      peer.end();
    },
    events: ["connecting connecting", "connected connecting", "disconnected closed"],
    end: { cause: "eof", message: NONE },
  },
  {
    peer: "7. 403 with a body",
    script: async (peer) => {
      await peer.readHead();
      peer.respond(403, { body: "not you", headers: { "Retry-After": "3" } });
    },
    events: [
      "connecting connecting",
      "connected connecting",
      'rejected closed 403 "not you" 3000',
      "disconnected closed",
    ],
    end: { cause: "rejected", message: NONE },
  },
  {
    peer: "8. a wrong accept key",
    script: (peer) => open(peer, { accept: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" }),
    events: [
      "connecting connecting",
      "connected connecting",
      "protocolError closed InvalidUpgradeError",
      "disconnected closed",
    ],
    end: { cause: "invalid-handshake", message: NONE },
  },
  {
    peer: "9. open, and the peer closes",
    script: async (peer) => {
      await peer.acceptUpgrade();
      peer.sendText("hello");
      peer.sendClose(1001, "bye");
      await peer.readFrame();
      peer.end();
    },
    events: [
      ...OPENED,
      "text open hello",
      "closing closing 1001 bye",
      "closed closing 1001 bye peer",
      "disconnected closed",
    ],
    end: { cause: "peer-close", message: "received 1001 (going away) bye; then sent 1001 (going away) bye" },
  },
  {
    peer: "10. open, and we close",
    script: async (peer) => {
      await peer.acceptUpgrade();
      await peer.readFrame();
      peer.sendClose(1000);
      peer.end();
    },
    body: closeOnPoll,
    events: [...OPENED, "closed closing 1000  local", "disconnected closed"],
    end: { cause: "local-close", message: "sent 1000 (OK); then received 1000 (OK)" },
  },
  {
    peer: "11. we close, and the peer sends FIN without Close",
    script: async (peer) => {
      await peer.acceptUpgrade();
      await peer.readFrame();
      peer.end();
    },
    body: closeOnPoll,
    events: [...OPENED, "disconnected closed"],
    end: { cause: "eof", message: "sent 1000 (OK); no close frame received" },
  },
  {
    peer: "12. FIN",
    script: async (peer) => {
      await peer.acceptUpgrade();
      peer.end();
    },
    events: [...OPENED, "disconnected closed"],
    end: { cause: "eof", message: NONE },
  },
  {
    peer: "13. RST",
    script: async (peer) => {
      await peer.acceptUpgrade();
      await peer.pause(50);
      peer.reset();
    },
    events: [...OPENED, "disconnected closed"],
    end: { cause: "reset", message: NONE },
  },
  {
    peer: "14. a breach of the protocol",
    script: async (peer) => {
      await peer.acceptUpgrade();
      peer.sendFrame({ opcode: 3, payload: "" });
      await peer.readFrame();
      peer.end();
    },
    events: [...OPENED, "protocolError closing ProtocolError", "disconnected closed"],
    end: {
      cause: "protocol-error",
      message: "sent 1002 (protocol error) Expected a known opcode, got 0x3; no close frame received",
    },
  },
  {
    peer: "15. no pongs",
    script: open,
    options: { pingInterval: 200, pingTimeout: 400 },
    events: [...OPENED, "unresponsive closing", "disconnected closed"],
    end: {
      cause: "heartbeat-timeout",
      message: "sent 1011 (internal error) keepalive ping timeout; no close frame received",
    },
  },
  {
    peer: "16. a Close that is never answered",
    script: open,
    options: { closeTimeout: 100 },
    body: closeOnPoll,
    events: [...OPENED, "disconnected closed"],
    end: { cause: "close-timeout", message: "sent 1000 (OK); no close frame received" },
  },
];

/** The parts of an event that the test compares, on one line. */
function describeEvent(event: ClientEvent): readonly (number | string | null)[] {
  switch (event.type) {
    case "text":
      return [event.text];
    case "rejected":
      return [event.status, JSON.stringify(Buffer.from(event.body).toString()), event.retryAfter];
    case "closing":
      return [event.code, event.reason];
    case "closed":
      return [event.code, event.reason, event.initiator];
    case "protocolError":
      return [event.error.name];
    default:
      return [];
  }
}

describe("The events of a client", () => {
  let certificates: TestCertificates;
  let resources: ResourceCounts;

  before(async () => {
    certificates = await testCertificates();
  });
  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await assertNothingLeft(resources);
  });

  for (const scene of SCENES) {
    test(`A2, A3: ${scene.peer}`, async () => {
      const { script, server: serverOptions, options, body } = scene;
      const server =
        script === null ? null : await RawServer.start(serverOptions?.(certificates) ?? {}, script);
      const port = server?.port ?? (await unusedPort());
      const url = scene.url?.(port) ?? `ws://127.0.0.1:${port}/`;
      const client = new Client(url, { pollInterval: 60_000, pingInterval: null, ...options });
      const consumer = new Consumer(client, client, (event) => body?.(event, client));
      await consumer.finished;
      assert.equal(consumer.error, null);
      // A busy machine may suspend the process at any point, which is reported.
      const seen = consumer.seen.filter(({ event }) => event.type !== "suspended");
      assert.deepEqual(
        seen.map(({ event, state }) => [event.type, state, ...describeEvent(event)].join(" ")),
        scene.events,
      );
      assertOneAttempt(consumer.types);
      const info = consumer.find("disconnected")?.info;
      assert.deepEqual({ cause: info?.cause, message: info?.message }, scene.end);
      assert.equal(client.state, "closed");
      await server?.close();
    });
  }
});
