// A session that outlives its client: a second one resumes it from what the first has saved.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  connectPersistent,
  InvalidArgumentError,
  NotSentError,
  serve,
  TextBytes,
  type ConnectPersistentOptions,
  type KeptClient,
  type PersistentConnection,
  type ServerConnection,
  type SessionKeep,
} from "holdfast";
import { eventually } from "holdfast-testkit";

class MemoryKeep implements SessionKeep {
  stored: string | null = null;
  client: KeptClient | null = null;
  load = (): string | null => this.stored;
  save = (state: string): void => void (this.stored = state);
  clear = (): void => void (this.stored = null);
  watch = (client: KeptClient): (() => void) => {
    this.client = client;
    return () => {
      if (this.client === client) this.client = null;
    };
  };
}

const ignoreWatch = (): never => undefined as never;

interface Scene extends AsyncDisposable {
  readonly url: string;
  readonly connections: readonly ServerConnection[];
  readonly received: string[];
  connect(keep: SessionKeep, options?: ConnectPersistentOptions): PersistentConnection;
}

async function openScene(): Promise<Scene> {
  const connections: ServerConnection[] = [];
  const received: string[] = [];
  const clients: PersistentConnection[] = [];
  const server = await serve(
    async (connection) => {
      connections.push(connection);
      await connection.forEach((message) => received.push(String(message)));
    },
    { host: "127.0.0.1", sessions: true },
  );
  return {
    url: server.url,
    connections,
    received,
    connect(keep, options = {}) {
      const client = connectPersistent(server.url, { session: { keep }, minDelay: 0, ...options });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.terminate();
      for (const connection of connections) connection.terminate();
      await server.close();
    },
  };
}

describe("SessionOptions.keep", () => {
  test("L9: a second client resumes the session: unread, unconfirmed and queued messages come over, once each and in order", async () => {
    await using scene = await openScene();
    const keep = new MemoryKeep();
    const first = scene.connect(keep);
    await first.send("a", { until: "delivered" });
    const [atServer] = scene.connections;
    assert(atServer !== undefined);
    for (const message of ["1", "2", "3"]) await atServer.send(message, { until: "delivered" });
    assert.equal(await first.recv(), "1");
    const id = first.session?.id;
    void first.send("b"); // Sent, and not confirmed.
    keep.client?.suspend();
    void first.send("c"); // Queued after the client was suspended.
    void first.send(new Uint8Array([0, 255, 22]), { timeToLive: 60_000 });
    await eventually(() => atServer.session?.isAttached === false, "detached");
    await atServer.send("4");
    assert.notEqual(keep.stored, null);

    const second = scene.connect(keep);
    assert.equal(keep.stored, null);
    const read = [await second.recv(), await second.recv(), await second.recv()];
    await second.send("d", { until: "delivered" });
    assert.deepEqual(read, ["2", "3", "4"]);
    assert.equal(second.session?.id, id);
    assert.deepEqual(scene.received, ["a", "b", "c", String(new Uint8Array([0, 255, 22])), "d"]);
    assert.equal(scene.connections.length, 1);
  });

  test("L9: unread text stays text if the clients take it as bytes, empty ones too", async () => {
    await using scene = await openScene();
    const keep = new MemoryKeep();
    const first = scene.connect(keep, { text: "bytes" });
    await first.send("a", { until: "delivered" });
    for (const message of ["", "x", new Uint8Array()])
      await scene.connections[0]?.send(message, { until: "delivered" });
    keep.client?.suspend();
    const second = scene.connect(keep, { text: "bytes" });
    const read = [await second.recv(), await second.recv(), await second.recv()];
    assert.deepEqual(read, [new TextBytes(), new TextBytes([0x78]), new Uint8Array()]);
  });

  test("L9: a client that continues takes the session back, and nobody reads while it is suspended", async () => {
    await using scene = await openScene();
    const keep = new MemoryKeep();
    const client = scene.connect(keep);
    await client.send("a", { until: "delivered" });
    const [atServer] = scene.connections;
    await atServer?.send("1", { until: "delivered" });
    const events: string[] = [];
    for (const name of ["detached", "disconnected", "open"] as const)
      client.on(name, () => events.push(name));
    client.on("status", ({ state }) => events.push(state));
    keep.client?.suspend();
    assert.deepEqual(events, ["detached", "disconnected", "connecting"]);
    const reading = client.recv();
    let hasRead = false;
    void reading.then(() => (hasRead = true));
    client.probe();
    await eventually(() => atServer?.session?.isAttached === false, "detached");
    assert.equal(hasRead, false);
    keep.client?.resume();
    assert.equal(await reading, "1");
    await client.send("b", { until: "delivered" });
    assert.deepEqual([keep.stored, scene.received, scene.connections.length], [null, ["a", "b"], 1]);
    assert.deepEqual(events.slice(3), ["open", "open"]);
  });

  test("L9: a client that continues after another one took its session begins a new one", async () => {
    await using scene = await openScene();
    const keep = new MemoryKeep();
    const first = scene.connect(keep);
    await first.send("a", { until: "delivered" });
    const firstClient = keep.client;
    firstClient?.suspend();
    const queued = first.send("b");
    const second = scene.connect(keep);
    await second.send("c", { until: "delivered" });
    firstClient?.resume();
    await assert.rejects(queued, (error) => error instanceof NotSentError && error.outcome === "unknown");
    await first.send("d", { until: "delivered" });
    assert.deepEqual(scene.received, ["a", "b", "c", "d"]);
    assert.equal(scene.connections.length, 2);
    assert.notEqual(first.session?.id, second.session?.id);
  });

  test("L9: a client that continues after another one took its session, and stopped, continues it with the other's messages", async () => {
    await using scene = await openScene();
    const keep = new MemoryKeep();
    const first = scene.connect(keep);
    const events: string[] = [];
    for (const name of ["resumed", "lost"] as const) first.on(name, () => events.push(name));
    await first.send("a", { until: "delivered" });
    const [atServer] = scene.connections;
    assert(atServer !== undefined);
    const id = first.session?.id;
    const firstClient = keep.client;
    firstClient?.suspend();
    const queued = first.send("b");
    const second = scene.connect(keep);
    await second.send("c", { until: "delivered" });
    await atServer.send("unread", { until: "delivered" });
    keep.client?.suspend();
    void second.send("d");
    firstClient?.resume();
    await assert.rejects(queued, (error) => error instanceof NotSentError && error.outcome === "unknown");
    assert.equal(await first.recv(), "unread");
    await first.send("e", { until: "delivered" });
    await atServer.send("next");
    assert.equal(await first.recv(), "next");
    assert.deepEqual(scene.received, ["a", "b", "c", "d", "e"]);
    assert.deepEqual([first.session?.id, scene.connections.length, keep.stored], [id, 1, null]);
    assert.deepEqual(events, ["resumed"]);
  });

  for (const how of ["close", "terminate", "abort"] as const) {
    test(`L9: ${how} after suspend() ends the session: nothing stays stored, and what was not sent is unsent`, async () => {
      await using scene = await openScene();
      const keep = new MemoryKeep();
      const aborter = new AbortController();
      const first = scene.connect(keep, { signal: aborter.signal });
      await first.send("a", { until: "delivered" });
      const [atServer] = scene.connections;
      for (const message of ["1", "2"]) await atServer?.send(message, { until: "delivered" });
      const id = first.session?.id;
      keep.client?.suspend();
      const queued = first.send("order");
      const rejected = assert.rejects(
        queued,
        (error) => error instanceof NotSentError && error.reason === "closed" && error.outcome === "unsent",
      );
      assert.notEqual(keep.stored, null);
      if (how === "close") void first.close();
      else if (how === "terminate") first.terminate();
      else aborter.abort();
      assert.equal(keep.stored, null); // At once: the page may stop now.
      await rejected;
      assert.deepEqual([await first.recv(), await first.recv()], ["1", "2"]);

      const second = scene.connect(keep);
      await second.send("b", { until: "delivered" });
      assert.notEqual(second.session?.id, id);
      assert.deepEqual(scene.received, ["a", "b"]);
    });

    test(`L9: ${how} after another client took the session leaves that one's state alone`, async () => {
      await using scene = await openScene();
      const keep = new MemoryKeep();
      const aborter = new AbortController();
      const first = scene.connect(keep, { signal: aborter.signal });
      await first.send("a", { until: "delivered" });
      keep.client?.suspend();
      const queued = first.send("b");
      const second = scene.connect(keep);
      await second.send("c", { until: "delivered" });
      keep.client?.suspend();
      const { stored } = keep;
      assert.notEqual(stored, null);
      if (how === "close") void first.close();
      else if (how === "terminate") first.terminate();
      else aborter.abort();
      assert.equal(keep.stored, stored);
      await assert.rejects(
        queued,
        (error) => error instanceof NotSentError && error.reason === "closed" && error.outcome === "unknown",
      );
    });
  }

  for (const isDynamic of [false, true]) {
    const kind = isDynamic ? "a URL that a function returns" : "a URL";
    test(`L9: another server gets neither the kept session nor its messages, with ${kind}`, async () => {
      await using scene = await openScene();
      await using other = await openScene();
      const keep = new MemoryKeep();
      const open = ({ url }: Scene, query: string): PersistentConnection => {
        const full = `${url}?ticket=${query}`;
        const client = connectPersistent(isDynamic ? () => full : full, { session: { keep }, minDelay: 0 });
        void client.closed.catch(() => undefined);
        return client;
      };
      const first = open(scene, "1");
      await first.send("a", { until: "delivered" });
      const id = first.session?.id;
      keep.client?.suspend();
      void first.send("b");

      const same = open(scene, "2");
      await same.send("c", { until: "delivered" });
      assert.deepEqual([same.session?.id, scene.received], [id, ["a", "b", "c"]]);
      keep.client?.suspend();
      void same.send("secret");

      const second = open(other, "3");
      await second.send("d", { until: "delivered" });
      assert.deepEqual([other.received, keep.stored], [["d"], null]);
      assert.notEqual(second.session?.id, id);
      second.terminate();
    });
  }

  test("L9: close() before suspend() stores nothing", async () => {
    await using scene = await openScene();
    const keep = new MemoryKeep();
    const client = scene.connect(keep);
    await client.send("a", { until: "delivered" });
    const { client: kept } = keep;
    const closed = client.close();
    kept?.suspend();
    assert.equal(keep.stored, null);
    await closed;
    assert.equal(keep.stored, null);
  });

  test("L9: a damaged state is ignored with one warning, and a keep that throws keeps nothing", async () => {
    await using scene = await openScene();
    const warnings: string[] = [];
    const ignore = (): void => undefined;
    const logger = {
      debug: ignore,
      info: ignore,
      error: ignore,
      warn: (line: string) => warnings.push(line),
    };
    const keep = new MemoryKeep();
    keep.stored = '{"v":1,"session":{"ticket":{"id":"../../../etc"}},"unread":[],"queued":[]}';
    keep.save = () => {
      throw new Error("quota");
    };
    const client = scene.connect(keep, { logger });
    await client.send("a", { until: "delivered" });
    keep.client?.suspend();
    client.terminate();
    assert.deepEqual(
      [keep.stored, warnings.filter((line) => line.includes("session"))],
      [null, ["the kept session is damaged, or of another version: it is ignored"]],
    );
    assert.throws(() => scene.connect({} as SessionKeep), /session\.keep/);
  });

  test("L9: an async keep, and one that cannot stop watching, are warned of; the connection works and ends", async () => {
    await using scene = await openScene();
    const rejects = (): never => Promise.reject(new Error("boom")) as never;
    const throws = (): never => {
      throw new Error("boom");
    };
    for (const [override, expected] of [
      [{ load: rejects }, "Expected `session.keep.load()` to be synchronous, got a promise."],
      [
        { load: () => 42 as never },
        "Expected `session.keep.load()` to be a string or null, got 42 (number).",
      ],
      [{ clear: rejects }, "Expected `session.keep.clear()` to be synchronous, got a promise."],
      [
        { load: rejects, clear: rejects },
        "Expected `session.keep.clear()` to be synchronous, got a promise.",
      ],
      [{ save: rejects }, "Expected `session.keep.save()` to be synchronous, got a promise."],
      [{ watch: () => throws }, "boom"],
      [{ watch: () => rejects }, "boom"],
    ] as const) {
      const warnings: string[] = [];
      const ignore = (): void => undefined;
      const warn = (_line: string, { error }: { error?: Error } = {}) =>
        warnings.push(String(error?.message));
      const keep = new MemoryKeep();
      const client = scene.connect(Object.assign(keep, { ...override }), {
        logger: { debug: ignore, info: ignore, error: ignore, warn },
      });
      await client.send("a", { until: "delivered" });
      if ("save" in override) keep.client?.suspend();
      client.terminate();
      await client.closed;
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(warnings, [expected]);
    }
    const noFunction = Object.assign(new MemoryKeep(), { watch: ignoreWatch });
    assert.throws(
      () => scene.connect(noFunction),
      /`session\.keep\.watch\(\)` to be a function, got undefined/,
    );
    const cause = new Error("of the application");
    const throwing = Object.assign(new MemoryKeep(), {
      watch: () => {
        throw cause;
      },
    });
    assert.throws(
      () => scene.connect(throwing),
      (error: unknown) => {
        assert(error instanceof InvalidArgumentError);
        assert.deepEqual(
          [error.message, error.cause],
          [
            "Expected session.keep.watch() to return a function, got an error. `cause` is what it threw.",
            cause,
          ],
        );
        return true;
      },
    );
  });
});
