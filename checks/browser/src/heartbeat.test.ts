// The heartbeat of pages, through the link protocol or through messages of the application.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { eventually, OPCODE, RawServer, type RawServerPeer } from "holdfast-testkit";
import type { Connection } from "holdfast/browser";
import type { Page } from "playwright-core";
import { Browser, skip } from "./browser/chromium.js";
import { openScene } from "./browser/scene.js";
import "./browser/page-globals.js";

/** The result of connecting in a page. */
function connectAndTell(page: Page, url: string, subprotocols: readonly string[] = []) {
  return page.evaluate(
    async ([to, names]) => {
      const connection = await holdfast.connect(to, {
        subprotocols: names,
        pingInterval: 50,
        pingTimeout: 2000,
      });
      globalThis.kept = { ...globalThis.kept, connection };
      const ping = await connection.ping().then(
        () => "pings",
        (error: unknown) => (error instanceof holdfast.InvalidStateError ? "has no pings" : String(error)),
      );
      return { ping, subprotocol: connection.subprotocol, state: connection.state };
    },
    [url, subprotocols] as const,
  );
}

const offerOf = async (peer: RawServerPeer) => {
  const head = await peer.readHead();
  return { head, offered: (head.header("Sec-WebSocket-Protocol") ?? "").split(", ") };
};

describe("The heartbeat of a page in Chromium", { skip, timeout: 300_000 }, () => {
  let browser: Browser;
  let page: Page;

  before(async () => {
    browser = await Browser.start();
    page = await browser.openPage();
  });
  after(() => browser[Symbol.asyncDispose]());

  test("I2: two Holdfast ends exchange pings that neither application sees", async () => {
    await using scene = await openScene({ subprotocols: ["chat"], pingInterval: 50 });
    const inPage = await page.evaluate(async (url) => {
      const connection = await holdfast.connect(url, { subprotocols: ["chat"], pingInterval: 50 });
      const messages: unknown[] = [];
      const pongs: number[] = [];
      connection.on("pong", ({ roundTrip }) => pongs.push(roundTrip ?? -1));
      void connection.forEach((message) => messages.push(message));
      await connection.send("hello");
      while (pongs.length < 5) await new Promise((resolve) => setTimeout(resolve, 20));
      const { latency, latencyStats, subprotocol } = connection;
      globalThis.kept = { connection };
      return {
        messages,
        subprotocol,
        hasLatency: latency !== null && latency === pongs.at(-1),
        ...latencyStats,
      };
    }, scene.url);
    assert.deepEqual([inPage.messages, inPage.subprotocol, inPage.hasLatency], [["hello"], "chat", true]);
    assert(inPage.answered >= 5 && inPage.lost === 0, JSON.stringify(inPage));
    assert.deepEqual(scene.received, ["hello"]);
    const [atServer] = scene.connections;
    assert.equal(atServer?.subprotocol, "chat");
    assert.equal(atServer.response.headers.get("Sec-WebSocket-Protocol"), "holdfast.v1+chat");
    // The server's own pings are frames, which the browser answers.
    await eventually(() => (atServer.latencyStats.answered ?? 0) > 2, "pongs of the browser", 30_000);
  });

  test("O1, O2: a visible page pings often although nothing is sent, suspects a silent server, and declares it dead", async () => {
    await using scene = await openScene();
    await page.evaluate(() => {
      globalThis.kept = {}; // Another test's connection has been answered already.
    });
    const inPage = page.evaluate(async (url) => {
      // The shortest period is that of a visible page; an idle connection elsewhere would ping every 20 s.
      const connection = await holdfast.connect(url, { detection: "adaptive" });
      void connection.forEach(() => undefined);
      const suspicions: { level: number; silence: number; expected: number }[] = [];
      connection.on("suspect", (suspicion) => suspicions.push(suspicion));
      globalThis.kept = { connection };
      const { cause, evidence } = await connection.closed;
      const { detection, deadAfter, latency } = evidence;
      return { suspicions, cause, detection, deadAfter, answered: latency.answered };
    }, scene.url);
    await page.waitForFunction(
      () => ((kept["connection"] as Connection | undefined)?.latencyStats.answered ?? 0) >= 6,
      undefined,
      { polling: 100, timeout: 60_000 },
    );
    scene.proxy.freeze();
    const { suspicions, cause, detection, deadAfter, answered } = await inPage;
    assert.deepEqual([cause, detection], ["heartbeat-timeout", "adaptive"]);
    assert(answered >= 5 && suspicions.length === 1, JSON.stringify({ answered, suspicions }));
    assert(deadAfter !== null && deadAfter < 20_000, `${deadAfter}`);
  });

  test("I2: linkProtocol: false at the server leaves a page without a heartbeat", async () => {
    await using scene = await openScene({ subprotocols: ["chat"], linkProtocol: false });
    assert.deepEqual(await connectAndTell(page, scene.url, ["chat"]), {
      ping: "has no pings",
      subprotocol: "chat",
      state: "open",
    });
    assert.deepEqual(await connectAndTell(page, scene.url), {
      ping: "has no pings",
      subprotocol: null,
      state: "open",
    });
  });

  test("I2: a server that accepts any first subprotocol is not mistaken for one with the link protocol", async () => {
    await using server = await RawServer.start();
    const connecting = connectAndTell(page, server.url());
    const peer = await server.nextPeer();
    const offered: string[] = [];
    await acceptAs(peer, (offer) => {
      offered.push(...offer);
      return offer[0] ?? null;
    });
    assert.deepEqual(await connecting, { ping: "has no pings", subprotocol: null, state: "open" });
    assert.deepEqual(offered, ["holdfast.plain", "holdfast.v1"]);
  });

  test("I2: the page retries once without the offer if a server ignores or refuses subprotocols", async () => {
    await using server = await RawServer.start();
    const offers: (readonly string[])[] = [];
    const accept = async () => {
      const peer = await server.nextPeer({ timeout: 30_000 });
      await acceptAs(peer, (offer) => {
        offers.push(offer);
        return null;
      });
    };
    const connecting = connectAndTell(page, server.url());
    await accept();
    await accept();
    assert.deepEqual(await connecting, { ping: "has no pings", subprotocol: null, state: "open" });
    // The result is remembered for the next attempt.
    const again = connectAndTell(page, server.url());
    await accept();
    assert.deepEqual(await again, { ping: "has no pings", subprotocol: null, state: "open" });
    assert.deepEqual(offers, [["holdfast.plain", "holdfast.v1"], [""], [""]]);
  });

  test("I2: each attempt at a server that refuses is one upgrade, except on first contact", async () => {
    const offers: (readonly string[])[] = [];
    await using server = await RawServer.start({}, async (peer) => {
      offers.push((await offerOf(peer)).offered);
      peer.respond(503);
    });
    await page.evaluate(async (url) => {
      let attempts = 0;
      const client = new holdfast.Client(url);
      const options = { firstDelay: 1, factor: 1, maxDelay: 5, retryable: () => ++attempts < 3 };
      for await (const { type } of holdfast.persist(client, options)) {
        if (type === "ready") throw new Error("It opened");
      }
    }, server.url());
    const link = ["holdfast.plain", "holdfast.v1"];
    assert.deepEqual(offers, [link, [""], link, link]);
  });

  test("I2: each attempt at a server that has accepted the offer is one upgrade", async () => {
    const offers: (readonly string[])[] = [];
    await using server = await RawServer.start({}, async (peer) => {
      if (offers.length === 0) {
        await acceptAs(peer, (offer) => {
          offers.push(offer);
          return "holdfast.v1";
        });
        peer.reset();
        return;
      }
      offers.push((await offerOf(peer)).offered);
      peer.respond(503);
    });
    await page.evaluate(async (url) => {
      const options = { firstDelay: 1, factor: 1, maxDelay: 5, retryable: () => ++attempts < 7 };
      let attempts = 0;
      const types: string[] = [];
      for await (const { type } of holdfast.persist(new holdfast.Client(url), options)) types.push(type);
    }, server.url());
    assert.deepEqual(
      offers,
      Array.from({ length: 7 }, () => ["holdfast.plain", "holdfast.v1"]),
    );
  });

  test('I2: linkProtocol: "required" offers nothing else, and does not retry', async () => {
    await using server = await RawServer.start();
    const connecting = page.evaluate(
      (url) =>
        holdfast.connect(url, { linkProtocol: "required", subprotocols: ["a"] }).then(
          () => "open",
          (error: unknown) => (error as Error).name,
        ),
      server.url(),
    );
    const peer = await server.nextPeer();
    const { offered } = await offerOf(peer);
    peer.respond(400);
    assert.deepEqual(
      [await connecting, offered, server.peers.length],
      ["HandshakeError", ["holdfast.v1+a"], 1],
    );
  });

  test("I2: the application's functions make a heartbeat from another server's messages", async () => {
    await using server = await RawServer.start();
    const connecting = page.evaluate(async (url) => {
      const connection = await holdfast.connect(url, {
        pingInterval: 200,
        pingTimeout: 3_000,
        heartbeat: {
          ping: (number) => JSON.stringify({ type: "ping", number }),
          isPong: (message) => {
            const { type, number } = JSON.parse(String(message)) as { type: string; number: number };
            return type === "pong" ? number : false;
          },
        },
      });
      globalThis.kept = { connection };
      const first: unknown = await connection.recv();
      while (connection.latencyStats.answered < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      return { first, latency: typeof connection.latency };
    }, server.url());
    const peer = await server.nextPeer();
    await acceptAs(peer, () => null);
    for (let number = 0; number < 2; number++) {
      const ping = await peer.readFrame();
      assert.equal(Buffer.from(ping.payload).toString(), `{"type":"ping","number":${number}}`);
      peer.sendFrame({ opcode: OPCODE.text, payload: Buffer.from(`{"type":"news"}`) });
      peer.sendFrame({ opcode: OPCODE.text, payload: Buffer.from(`{"type":"pong","number":${number}}`) });
    }
    assert.deepEqual(await connecting, { first: '{"type":"news"}', latency: "number" });
    // Silence leads to the verdict.
    const info = await page.evaluate(async () => {
      const { cause, sent } = await (kept["connection"] as Connection).closed;
      return { cause, sent };
    });
    assert.deepEqual(info, {
      cause: "heartbeat-timeout",
      sent: { code: 4011, reason: "keepalive ping timeout" },
    });
  });

  test("I2: a heartbeat function that throws ends the connection, and the error names it", async () => {
    await using scene = await openScene({ linkProtocol: false });
    const ended = await page.evaluate(async (url) => {
      const connection = await holdfast.connect(url, {
        heartbeat: { ping: () => "ping", isPong: (message) => Boolean(JSON.parse(String(message))) },
      });
      const { cause, error } = await connection.closed;
      return {
        cause,
        isTold: error?.message.startsWith("The function `heartbeat.isPong` failed: SyntaxError"),
      };
    }, scene.url);
    assert.deepEqual(ended, { cause: "handler-failed", isTold: true });
  });
});

/** Accepts the upgrade with the subprotocol that `choose` returns; null for no such header. */
async function acceptAs(
  peer: RawServerPeer,
  choose: (offer: readonly string[]) => string | null,
): Promise<void> {
  const { head, offered } = await offerOf(peer);
  const key = head.header("Sec-WebSocket-Key") ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const chosen = choose(offered);
  peer.write(
    [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${accept}`,
      ...(chosen === null ? [] : [`Sec-WebSocket-Protocol: ${chosen}`]),
      "\r\n",
    ].join("\r\n"),
  );
}
