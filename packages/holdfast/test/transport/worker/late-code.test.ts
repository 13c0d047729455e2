// A page loads the code of a connection while the worker opens it, and the worker may be faster. Here the worker's side
// runs on the same thread, with a real server.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { serve, type Server, type ServerConnection } from "holdfast";
import { eventually, withTimeout } from "holdfast-testkit";
import { open } from "../../../build/client/connect.js";
import { checkConnectOptions } from "../../../build/client/options.js";
import type { Connection } from "../../../build/connection/connection.js";
import { Deferred } from "../../../build/shared/deferred.js";
import { HandshakeError } from "../../../build/shared/errors.js";
import { nodeRuntime } from "../../../build/transport/node/node-runtime.js";
import { openInWorker, type ConnectionStarter } from "../../../build/transport/worker/open-in-worker.js";
import { takeAssignment } from "../../../build/transport/worker/serve-port.js";
import { createWorkerConnection } from "../../../build/transport/worker/worker-connection.js";
import { WorkerError } from "../../../build/transport/worker/worker-error.js";
import { WorkerHost } from "../../../build/transport/worker/worker-host.js";

describe("The code of a connection in a worker that loads late", { timeout: 60_000 }, () => {
  let server: Server;
  let accepted: Deferred<ServerConnection>;
  let code: Deferred<ConnectionStarter>;
  let failWorker: (error: Error) => void;
  const start: ConnectionStarter = (call) => createWorkerConnection(call, nodeRuntime(), null);

  beforeEach(async () => {
    accepted = new Deferred();
    code = new Deferred();
    server = await serve(
      async (connection) => {
        accepted.resolve(connection);
        await connection.closed;
      },
      { host: "127.0.0.1" },
    );
  });
  afterEach(() => server.close());

  function openLate(signal: AbortSignal | null = null): Promise<Connection> {
    const runtime = nodeRuntime();
    const host = new WorkerHost((onFailed) => {
      failWorker = onFailed;
      return {
        post: (message, port) => takeAssignment(message, port, runtime.clock, open),
        leave: () => undefined,
      };
    });
    const { connection: settings, openTimeout } = checkConnectOptions({});
    const call = { runtime, host, url: server.url, options: {}, settings, openTimeout, signal };
    return openInWorker({ ...call, start: code.promise });
  }

  /** Long enough for the worker's report to arrive. */
  async function opened(): Promise<ServerConnection> {
    const connection = await withTimeout(accepted.promise, 20_000, "the connection");
    await connection.ping();
    await new Promise((resolve) => setTimeout(resolve, 20));
    return connection;
  }

  test("B1: messages that arrive before it are kept in order, as is the end", async () => {
    const opening = openLate();
    const peer = await opened();
    await Promise.all([peer.send("first"), peer.send(new Uint8Array([2]))]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    code.resolve(start);
    const connection = await opening;
    assert.equal(connection.state, "open");
    await Promise.all([peer.send("third"), peer.close(1000, "enough")]);
    const messages = [];
    for await (const message of connection) messages.push(message);
    assert.deepEqual(messages, ["first", new Uint8Array([2]), "third"]);
    const { code: closeCode, reason } = await connection.closed;
    assert.deepEqual([closeCode, reason], [1000, "enough"]);
  });

  test("B1: code that cannot be loaded is the error of opening, and the worker's connection ends", async () => {
    const opening = openLate();
    const peer = await opened();
    const error = new HandshakeError("Expected to load the code of connections, got an error.");
    code.reject(error);
    await assert.rejects(opening, error);
    await withTimeout(peer.closed, 20_000, "the end of the worker's connection");
  });

  test("B1: the signal aborts while the code loads, and code that arrives later starts nothing", async () => {
    const aborter = new AbortController();
    const opening = openLate(aborter.signal);
    const peer = await opened();
    const reason = new Error("changed my mind");
    aborter.abort(reason);
    await assert.rejects(opening, reason);
    let started = 0;
    code.resolve((call) => {
      started++;
      return start(call);
    });
    await withTimeout(peer.closed, 20_000, "the end of the worker's connection");
    await eventually(() => server.connections.size === 0, "no connection");
    assert.equal(started, 0);
  });

  test("D7: a worker that fails while the code loads is a WorkerError", async () => {
    const opening = openLate();
    await opened();
    failWorker(new WorkerError("The worker of the connection failed: out of memory."));
    await assert.rejects(opening, WorkerError);
    code.resolve(start);
  });
});
