// How many connections a page attempts, with a simulated WebSocket.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { InvalidURLError, NegotiationError } from "../../build/shared/errors.js";
import * as surface from "../../build/browser.js";
import { FakeWebSocket } from "../transport/browser/fake-web-socket.js";

/** The server's response to the n-th upgrade: the subprotocol that it selects, or null to reject it. */
type Answer = (offered: readonly string[], index: number) => string | null;

describe("The requests of a page to a server", () => {
  let offers: (readonly string[])[];
  let sockets: PageWebSocket[];
  let answer: Answer;
  const original = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");

  class PageWebSocket extends FakeWebSocket {
    readonly protocol: string = "";
    readonly extensions = "";
    onopen: (() => void) | null = null;

    constructor(_url: string, offered: readonly string[]) {
      super();
      const chosen = answer(offered, offers.length);
      offers.push(offered);
      sockets.push(this);
      if (chosen !== null) this.protocol = chosen;
      setImmediate(() => {
        if (chosen === null) this.end(1006);
        else this.onopen?.();
      });
    }
  }

  beforeEach(() => {
    offers = [];
    sockets = [];
    Object.defineProperty(globalThis, "WebSocket", {
      configurable: true,
      writable: true,
      value: PageWebSocket,
    });
  });
  afterEach(() => {
    if (original === undefined) Reflect.deleteProperty(globalThis, "WebSocket");
    else Object.defineProperty(globalThis, "WebSocket", original);
  });

  const LINK = ["holdfast.plain", "holdfast.v1"];
  let paths = 0;
  /** The URL of a server that no other test uses. */
  const newURL = () => `ws://example.com/${++paths}`;
  const fast = { firstDelay: 1, factor: 1, maxDelay: 5 };

  /** Runs this many consecutive failing attempts of persist(). */
  async function fail(url: string, attempts: number): Promise<void> {
    let count = 0;
    const client = new surface.Client(url);
    for await (const event of surface.persist(client, { ...fast, retryable: () => ++count < attempts })) {
      assert.notEqual(event.type, "ready");
    }
  }

  test("B2: a URL without a host, with a fragment or with another scheme opens nothing", async () => {
    const invalid =
      "ws:///x wss:///x HTTP:///x ws:x ws:/x ws:\\\\\\x ///x \\\\\\x ws:// ws://h/#x ws://h/# ftp://x/ file:///x blob:x";
    Object.defineProperty(globalThis, "location", {
      configurable: true,
      value: new URL("http://page.example/folder/"),
    });
    try {
      for (const url of [...invalid.split(" "), " ws:///x"]) {
        await assert.rejects(surface.connect(url, { logger: null }), InvalidURLError, url);
        await assert.rejects(surface.connectInWorker(url, { logger: null }), InvalidURLError, url);
      }
      assert.deepEqual(offers, []);
      answer = () => "";
      for (const url of ["/x", "x", "//h/x", "?x", " ws://h//x", "https://h"]) {
        (await surface.connect(url, { pingInterval: null })).terminate();
      }
      assert.equal(offers.length, 6);
    } finally {
      Reflect.deleteProperty(globalThis, "location");
    }
  });

  test("I2: three failing attempts are four upgrades: only the first contact also tries without the offer", async () => {
    answer = () => null;
    await fail(newURL(), 3);
    assert.deepEqual(offers, [LINK, [], LINK, LINK]);
  });

  test("I2: an attempt at a server that has accepted the offer is one upgrade, whatever the query", async () => {
    const url = newURL();
    answer = () => "holdfast.v1";
    const connection = await surface.connect(`${url}?token=1`, { pingInterval: null });
    connection.terminate();
    answer = () => null;
    offers = [];
    await fail(`${url}?token=2`, 10);
    assert.deepEqual(
      offers,
      Array.from({ length: 10 }, () => LINK),
    );
    // A different path may belong to a different server.
    offers = [];
    await fail(newURL(), 1);
    assert.deepEqual(offers, [LINK, []]);
  });

  test("I2: the page still connects to a server that refuses the offer and was down on first contact", async () => {
    const url = newURL();
    answer = (offered, index) => (index < 4 || offered.length > 0 ? null : "");
    const link = surface.connectPersistent(url, { ...fast, pingInterval: null });
    await new Promise<void>((resolve) => link.on("open", () => resolve()));
    link.terminate();
    await link.closed;
    assert.deepEqual(offers, [LINK, [], LINK, LINK, LINK, LINK, []]);
  });

  test("I2: a page offers the link protocol again after one failure at first contact", async () => {
    const url = newURL();
    answer = (offered, index) => (index === 0 ? null : offered.includes("holdfast.v1") ? "holdfast.v1" : "");
    for (let count = 0; count < 6; count++) {
      const connection = await surface.connect(url, { pingInterval: null });
      connection.terminate();
    }
    assert.deepEqual(offers, [LINK, [], [], [], [], LINK, LINK]);
  });

  test("I2, L1: a page that wants a session repeats its offer at once; a server without sessions serves it", async () => {
    const connect = async (url: string): Promise<void> => {
      const link = surface.connectPersistent(url, { session: true, pingInterval: null });
      await new Promise<void>((resolve) => link.on("open", () => resolve()));
      link.terminate();
      await link.closed;
    };
    answer = (_, index) => (index === 1 ? "holdfast.v1" : null);
    await connect(newURL());
    const wanted = ["holdfast.plain", "holdfast.v2", "holdfast.v1"];
    assert.deepEqual(offers, [wanted, wanted]);
    offers = [];
    answer = (offered) => (offered.length > 0 ? null : "");
    const plain = newURL();
    for (let count = 0; count < 4; count++) await connect(plain);
    assert.deepEqual(offers, [wanted, wanted, [], wanted, [], wanted, [], wanted, []]);
  });

  test("B5: a page names all values of linkProtocol", async () => {
    await assert.rejects(
      surface.connect(newURL(), { linkProtocol: "yes" as never }),
      /^InvalidArgumentError: Expected `linkProtocol` to be true, false or "required", got "yes" \(string\)\.$/,
    );
    assert.deepEqual(offers, []);
  });

  test('I2: a connection with linkProtocol: "required" shows that the server accepts the offer', async () => {
    const url = newURL();
    answer = (offered) => (offered.includes("holdfast.v1") ? "holdfast.v1" : "");
    for (const linkProtocol of [false, "required", true] as const) {
      const connection = await surface.connect(url, { linkProtocol, pingInterval: null });
      connection.terminate();
    }
    answer = () => null;
    offers = [];
    await fail(url, 1);
    assert.deepEqual(offers, [LINK]);
  });

  test("I2: a page connects without a subprotocol to a server that selects only one that it knows", async () => {
    const url = newURL();
    answer = (offered) => (offered.includes("chat") ? "chat" : offered.length > 0 ? null : "");
    const open = async (subprotocols: readonly string[]): Promise<string | null> => {
      const connection = await surface.connect(url, { subprotocols, pingInterval: null });
      connection.terminate();
      return connection.subprotocol;
    };
    assert.deepEqual(
      [await open([]), await open(["chat"]), await open([]), await open([]), await open(["chat"])],
      [null, "chat", null, null, "chat"],
    );
  });

  test("F2: the width that a server sets is the width of a page's first wait", async () => {
    answer = () => "holdfast.v1";
    const link = surface.connectPersistent(newURL(), {
      firstDelay: 600_000,
      maxDelay: 700_000,
      stableAfter: 0,
      pingInterval: null,
    });
    await new Promise<void>((resolve) => link.on("open", () => resolve()));
    sockets[0].deliver("\u0016spread 120");
    const ended = new Promise<void>((resolve) => link.on("disconnected", () => resolve()));
    sockets[0].end(1006);
    await ended;
    const { status } = link;
    assert(status.state === "waiting" && status.delay <= 120, JSON.stringify(status));
    link.terminate();
    await link.closed;
  });

  test("B3: requireSubprotocol fails the handshake where a page's server selects none", async () => {
    for (const chosen of ["", "holdfast.v1", "holdfast.plain"]) {
      answer = () => chosen;
      await assert.rejects(
        surface.connect(newURL(), { subprotocols: ["chat", "log"], requireSubprotocol: true }),
        (error) => {
          assert(error instanceof NegotiationError, String(error));
          assert.match(error.message, /^Expected the server to select one of "chat" and "log" .*got none/);
          return true;
        },
      );
      assert.equal(sockets.at(-1)?.readyState, sockets.at(-1)?.CLOSING);
    }
    answer = () => "holdfast.v1+log";
    const options = { subprotocols: ["chat", "log"], requireSubprotocol: true, pingInterval: null };
    const connection = await surface.connect(newURL(), options);
    assert.equal(connection.subprotocol, "log");
    connection.terminate();
  });

  test("I2, G3: a page loads the code of its options before it opens: log, heartbeat and adaptive detection", async () => {
    answer = () => "";
    const lines: string[] = [];
    const log = (message: string): number => lines.push(message);
    const heartbeat = { ping: (number: number) => `ping ${number}`, isPong: () => false };
    const connection = await surface.connect(newURL(), {
      logger: { debug: log, info: log, warn: log, error: log },
      heartbeat,
      detection: "adaptive",
    });
    const { closed } = connection;
    assert.deepEqual(lines.slice(1), ["< HTTP/1.1 101 Switching Protocols", "connection open"]);
    assert.equal(sockets[0].log.at(-1), "ping 0");
    connection.terminate();
    const { evidence } = await closed;
    assert.equal(evidence.detection, "adaptive");
    assert.equal(lines.at(-1), "connection closed");
  });
});
