// The public surface in a page: loaded as modules, without a bundler.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as nodeSurface from "holdfast";
import { eventually, RawServer } from "holdfast-testkit";
import type { Connection, PersistentConnection } from "holdfast/browser";
import type { Page } from "playwright-core";
import { Browser, skip } from "./browser/chromium.js";
import { openScene } from "./browser/scene.js";
import "./browser/page-globals.js";

describe("In Chromium", { skip, timeout: 300_000 }, () => {
  let browser: Browser;
  let page: Page;

  before(async () => {
    browser = await Browser.start();
    page = await browser.openPage();
  });
  after(() => browser[Symbol.asyncDispose]());

  test("I1: a page has the same exports as Node.js, except servers and their stores, and a keep of its own", async () => {
    const names = await page.evaluate(() => Object.keys(holdfast));
    const serverNames = [
      "Server",
      "ServerRequest",
      "attach",
      "basicAuth",
      "broadcast",
      "inspect",
      "serve",
      "toNodeStream",
    ];
    const storeNames = [
      "decodeSessionRecord",
      "encodeSessionChanges",
      "encodeSessionRecord",
      "fileStore",
      "memoryStore",
    ];
    const expected = Object.keys(nodeSurface).filter(
      (name) => !serverNames.includes(name) && !storeNames.includes(name),
    );
    expected.push("sessionStorageKeep");
    assert.deepEqual(names.toSorted(), expected.toSorted());
  });

  test("I1: capabilities lists what a page cannot do, with the same names as in Node.js", async () => {
    const inPage = await page.evaluate(() => ({ ...holdfast.capabilities }));
    assert.deepEqual(Object.keys(inPage), Object.keys(nodeSurface.capabilities));
    assert.deepEqual(
      Object.values(inPage),
      Object.values(inPage).map(() => false),
    );
    assert.deepEqual(
      Object.values(nodeSurface.capabilities),
      Object.values(inPage).map(() => true),
    );
  });

  test("I1: text, bytes, fragments and JSON are exchanged, and the end is explained", async () => {
    await using scene = await openScene({ subprotocols: ["chat"] });
    const seen = await page.evaluate(async (url) => {
      const connection = await holdfast.connect(url, { subprotocols: ["chat"] });
      await connection.send("text");
      await connection.send(new Uint8Array([1, 2, 3]));
      await connection.send(["in ", "fragments"]);
      await connection.send("\u0016ping 00");
      const echoes: unknown[] = [];
      for (let count = 0; count < 4; count++) {
        const message = await connection.recv();
        echoes.push(typeof message === "string" ? message : [...message]);
      }
      const { subprotocol } = connection;
      const info = await connection.close();
      return { echoes, subprotocol, message: info.message, ok: info.ok, explained: holdfast.explain(info) };
    }, scene.url);
    assert.deepEqual(seen, {
      echoes: ["text", [1, 2, 3], "in fragments", "\u0016ping 00"],
      subprotocol: "chat",
      message: "sent 1000 (OK); then received 1000 (OK)",
      ok: true,
      explained:
        "This side closed the connection, and the peer agreed (sent 1000 (OK); then received 1000 (OK)).",
    });
    assert.equal(scene.connections[0]?.subprotocol, "chat");
  });

  test("I1: the peer's Close is reported with its code, and codes that pages may not send become private ones", async () => {
    await using scene = await openScene();
    await page.evaluate(async (url) => {
      globalThis.kept = { first: await holdfast.connect(url), second: await holdfast.connect(url) };
    }, scene.url);
    void scene.connections[0]?.close(1012, "restart");
    const messages = await page.evaluate(async () => {
      const { first, second } = kept as Record<string, Connection>;
      const received = await first?.closed;
      const sent = await second?.close(1001, "bye");
      return [received?.message, sent?.message];
    });
    assert.deepEqual(messages, [
      "received 1012 (service restart) restart; then sent 1012 (service restart) restart",
      "sent 4001 (private use) bye; then received 4001 (private use) bye",
    ]);
  });

  test("E7: a stream is sent as one message, a pipe from an idle source fails at the peer's Close, and an echo ends well", async () => {
    await using scene = await openScene();
    const echoed = await page.evaluate(async (url) => {
      const [first, second] = [await holdfast.connect(url), await holdfast.connect(url)];
      const stream = new ReadableStream<string>({
        start(controller) {
          for (const piece of ["a\ud83d", "\ude00b"]) controller.enqueue(piece);
          controller.close();
        },
      });
      await first.send(stream);
      globalThis.kept = { first, second };
      return first.recv();
    }, scene.url);
    assert.equal(echoed, "a😀b");
    const ends = page.evaluate(async () => {
      const { first, second } = kept as Record<"first" | "second", Connection>;
      let isCancelled = false;
      const source = new ReadableStream<string>({ cancel: () => void (isCancelled = true) });
      const { readable, writable } = holdfast.toWebStreams(second);
      const piping = source.pipeTo(holdfast.toWebStreams(first).writable).then(
        () => "no error",
        (error: unknown) => (error as Error).name,
      );
      const echo = readable.pipeTo(writable).then(() => "ended well", String);
      return [await piping, isCancelled, await echo];
    });
    for (const connection of scene.connections) void connection.close();
    assert.deepEqual(await ends, ["ConnectionClosedOK", true, "ended well"]);
  });

  test("I1: Client reports the events of a connection, in the same order as elsewhere", async () => {
    await using scene = await openScene();
    const types = await page.evaluate(async (url) => {
      const client = new holdfast.Client(url, { pollInterval: null, pingInterval: null });
      const seen: string[] = [];
      for await (const event of client) {
        seen.push(event.type);
        if (event.type === "ready") await client.send("hello");
        if (event.type === "text") void client.close();
      }
      return seen;
    }, scene.url);
    assert.deepEqual(types, ["connecting", "connected", "ready", "text", "closed", "disconnected"]);
  });

  test("I1: Client reports a Close by the peer, and a failure to connect", async () => {
    await using scene = await openScene();
    const events = page.evaluate(async (url) => {
      const client = new holdfast.Client(url, { pollInterval: null, pingInterval: null });
      const seen: string[] = [];
      for await (const event of client) seen.push(event.type);
      const failed = new holdfast.Client("ws://127.0.0.1:1/", { pollInterval: null });
      for await (const event of failed) {
        seen.push(event.type);
        if (event.type === "disconnected") seen.push(event.info.cause, holdfast.explain(event.info));
      }
      return seen;
    }, scene.url);
    await eventually(() => scene.connections.length === 1, "a connection", 30_000);
    void scene.connections[0]?.close(1001);
    const seen = await events;
    // On a machine without a network Chromium reports that it is offline, and so does the error.
    const isOnline = await page.evaluate(() => navigator.onLine);
    assert.match(
      seen.pop() ?? "",
      isOnline ? /report which of these only in their console/ : /the browser is offline/,
    );
    assert.deepEqual(seen, [
      ...["connecting", "connected", "ready", "closing", "closed", "disconnected"],
      ...["connecting", "connectFail", "disconnected", isOnline ? "refused" : "unreachable"],
    ]);
  });

  test("I1: connectPersistent() is one object across reconnects", async () => {
    await using scene = await openScene();
    const talk = (message: string) =>
      page.evaluate(
        async ([url, text]) => {
          const persistent =
            (kept["persistent"] as PersistentConnection | undefined) ??
            holdfast.connectPersistent(url, { firstDelay: 50 });
          kept["persistent"] = persistent;
          await persistent.send(text);
          for await (const echo of persistent) return echo;
          return null;
        },
        [scene.url, message] as const,
      );
    await page.evaluate(() => (globalThis.kept = {}));
    assert.equal(await talk("one"), "one");
    scene.connections[0]?.terminate();
    await eventually(() => scene.connections.length === 2, "another connection", 30_000);
    assert.equal(await talk("two"), "two");
    await page.evaluate(() => (kept["persistent"] as PersistentConnection).close());
    assert.deepEqual(scene.received, ["one", "two"]);
  });

  test("I1: options that a browser cannot honour are rejected with an alternative", async () => {
    const refusals = await page.evaluate(async () => {
      const wrong: Record<string, unknown> = {
        headers: { Authorization: "Bearer x" },
        tls: {},
        proxy: "http://proxy",
        compression: true,
        autoPong: false,
      };
      const messages: string[] = [];
      for (const [name, value] of Object.entries(wrong)) {
        const error: unknown = await holdfast
          .connect("ws://127.0.0.1:1/", { [name]: value })
          .catch((reason: unknown) => reason);
        if (error instanceof holdfast.InvalidArgumentError) messages.push(error.message);
        try {
          new holdfast.Client("ws://127.0.0.1:1/", { [name]: value });
        } catch (reason) {
          if (reason instanceof holdfast.InvalidArgumentError) messages.push(reason.message);
        }
      }
      return messages;
    });
    assert.equal(refusals.length, 10);
    assert.equal(
      refusals[0],
      "Expected no `headers` in a browser (a page cannot send headers: put a token into the URL, a cookie or the first message), got an object.",
    );
  });

  test("I1: a URL may be relative; one that cannot be opened is refused before any I/O", async () => {
    const errors = await page.evaluate(async () => {
      const seen: string[] = [];
      for (const url of ["ftp://example.com/", "ws://a/#b", "ws://user:secret@a/", "ws://[", "ws://a/\nb"]) {
        const error: unknown = await holdfast.connect(url).catch((reason: unknown) => reason);
        if (error instanceof holdfast.InvalidURLError) seen.push(error.message);
      }
      return seen;
    });
    assert.equal(errors.length, 5);
    assert(!errors.join().includes("secret"));
    const relative = await page.evaluate(async () => {
      const client = new holdfast.Client("/chat?x=1");
      for await (const event of client) if (event.type === "connecting") return event.url;
      return null;
    });
    assert.equal(relative, `${browser.origin.replace("http", "ws")}/chat?x=1`);
  });

  test("I1: a value that is no URL is refused, and no path of the page is made of it", async () => {
    const errors = await page.evaluate(async () => {
      const seen: string[] = [];
      for (const url of [undefined, null, 5, true, {}] as unknown as string[])
        await holdfast.connect(url).catch((error: unknown) => seen.push(String(error)));
      return seen;
    });
    const expected = ["undefined", "null", "5 (number)", "true (boolean)", "an object"].map(
      (got) => `InvalidURLError: Expected a URL such as "wss://example.com/chat" or "/chat", got ${got}.`,
    );
    assert.deepEqual(errors, expected);
  });

  test("I1: a relative URL follows the document, as for the browser's own WebSocket: <base>, and a frame with srcdoc", async () => {
    const other = await browser.openPage();
    const urls = await other.evaluate(async () => {
      const urlOf = async (library: typeof holdfast): Promise<string | null> => {
        for await (const event of new library.Client("chat"))
          if (event.type === "connecting") return event.url;
        return null;
      };
      const loaded = new Promise<typeof holdfast>((resolve) => Object.assign(globalThis, { resolve }));
      const frame = document.createElement("iframe");
      frame.srcdoc = '<script type="module">parent.resolve(await import("/holdfast/browser.js"));</script>';
      document.body.append(frame);
      const inFrame = await urlOf(await loaded);
      const base = document.createElement("base");
      base.href = "/app/deep/";
      document.head.append(base);
      return [inFrame, await urlOf(holdfast)];
    });
    const origin = browser.origin.replace("http", "ws");
    assert.deepEqual(urls, [`${origin}/chat`, `${origin}/app/deep/chat`]);
    await other.close();
  });

  test("I1, F5: a URL that the page's Content-Security-Policy blocks is an error at once, and ends reconnecting", async () => {
    await using scene = await openScene();
    const other = await browser.openPage();
    const seen = await other.evaluate(async (url) => {
      const policy = document.createElement("meta");
      policy.httpEquiv = "Content-Security-Policy";
      policy.content = "connect-src 'self'";
      document.head.append(policy);
      const error: unknown = await holdfast
        .connect(url, { openTimeout: null })
        .catch((reason: unknown) => reason);
      const link = holdfast.connectPersistent(url);
      const status = await new Promise((resolve) => {
        link.on("status", ({ state }) => {
          if (state !== "connecting") resolve(state);
        });
      });
      return [String(error), status];
    }, scene.url);
    const origin = scene.url.replace(/\/$/, "");
    assert.deepEqual(seen, [
      `InvalidURLError: The browser refuses to connect to ${scene.url}: the Content-Security-Policy of the page blocks it. Add ${origin} to its \`connect-src\`.`,
      "closed",
    ]);
    await other.close();
  });

  test("E5: bytes of memory that can be resized are sent, and memory that is transferred while it waits leaves no trace", async () => {
    await using scene = await openScene({ maxMessageSize: null });
    const seen = await page.evaluate(async (url) => {
      const connection = await holdfast.connect(url, { writeLimit: 1_000, maxMessageSize: null });
      // The types do not have the second argument yet.
      const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
      const resizable = (): Uint8Array => new Uint8Array(new Resizable(8, { maxByteLength: 16 }));
      await connection.send(resizable());
      const first = await connection.recv();
      void connection.send(new Uint8Array(3_000_000));
      const transferred = new Uint8Array(4);
      const waiting = [resizable(), transferred];
      const sent = Promise.all(waiting.map((bytes) => connection.send(bytes)));
      structuredClone(transferred, { transfer: [transferred.buffer] });
      const sizes = [first.length];
      for (let messages = 0; messages < 3; messages++) sizes.push((await connection.recv()).length);
      await sent;
      const { bufferedAmount } = connection;
      await connection.close();
      return { sizes, bufferedAmount };
    }, scene.url);
    assert.deepEqual(seen, { sizes: [8, 3_000_000, 8, 0], bufferedAmount: 0 });
  });

  test("I1: openTimeout and an abort end an attempt without an answer", async () => {
    await using server = await RawServer.start();
    const outcome = await page.evaluate(async (url) => {
      const tooSlow: unknown = await holdfast
        .connect(url, { openTimeout: 200 })
        .catch((error: unknown) => error);
      const aborted: unknown = await holdfast
        .connect(url, { signal: AbortSignal.timeout(100) })
        .catch((error: unknown) => error);
      return [tooSlow instanceof holdfast.OpenTimeoutError && tooSlow.message, (aborted as Error).name];
    }, server.url());
    assert.deepEqual(outcome, [
      `Expected ${server.url()} to be open within 200 ms; browsers do not report what they are waiting for.`,
      "TimeoutError",
    ]);
  });

  test("I1: sending respects writeLimit, although the browser would buffer everything at once", async () => {
    await using scene = await openScene({ maxMessageSize: null });
    await page.evaluate(async (url) => {
      globalThis.kept = { connection: await holdfast.connect(url, { pingInterval: null }) };
    }, scene.url);
    scene.proxy.freeze("toServer");
    const states = await page.evaluate(async () => {
      const connection = kept["connection"] as Connection;
      void connection.forEach(() => undefined); // The messages are echoes.
      let settled = 0;
      const sends: Promise<void>[] = [];
      for (let count = 0; count < 400; count++) {
        const sent = connection.send(new Uint8Array(64 * 1024));
        sends.push(
          sent.then(() => {
            settled++;
          }),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      const stuck = { isStuck: settled < 400, isBuffered: connection.bufferedAmount > 1024 * 1024 };
      const taken = new AbortController();
      const withdrawn = connection.send("never", { signal: taken.signal }).then(
        () => "sent",
        () => "withdrawn",
      );
      taken.abort();
      kept["sends"] = Promise.all(sends);
      return { ...stuck, withdrawn: await withdrawn };
    });
    assert.deepEqual(states, { isStuck: true, isBuffered: true, withdrawn: "withdrawn" });
    scene.proxy.thaw("toServer");
    await page.evaluate(() => kept["sends"] as Promise<unknown>);
    await eventually(() => scene.received.length === 400, "all messages", 30_000);
  });

  test("I1: the connection of a page that does not keep up fails, and the page can still read the rest", async () => {
    await using scene = await openScene();
    const opening = page.evaluate(async (url) => {
      const connection = await holdfast.connect(url, { maxQueue: 4 });
      const { error, cause, sent, evidence } = await connection.closed;
      let unread = 0;
      try {
        for await (const _ of connection) unread++;
      } catch {
        // The expected end of the connection.
      }
      return { name: error?.name, cause, code: sent?.code, unread, counted: evidence.messagesUnread };
    }, scene.url);
    await eventually(() => scene.connections.length === 1, "a connection", 30_000);
    for (let count = 0; count < 200; count++) void scene.connections[0]?.send(`message ${count}`);
    assert.deepEqual(await opening, {
      name: "MessageTooBigError",
      cause: "message-too-big",
      code: 4009,
      unread: 5 + 64,
      counted: 5 + 64,
    });
  });
});
