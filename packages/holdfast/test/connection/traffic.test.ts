// The counters of an open connection.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, connectInWorker, serve } from "holdfast";

for (const [name, open] of Object.entries({ connect, connectInWorker })) {
  test(`J2: traffic counts messages and bytes of ${name}() while the connection is open, and keeps them after its end`, async () => {
    await using server = await serve(
      (connection) => connection.forEach((message) => connection.send(message)),
      {
        host: "127.0.0.1",
        pingInterval: null,
      },
    );
    const connection = await open(server.url, { pingInterval: null });
    const before = connection.traffic;
    assert.deepEqual([before.messagesReceived, before.messagesSent], [0, 0]);
    for (const message of ["a", new Uint8Array(200)]) {
      await connection.send(message);
      await connection.recv();
    }
    const { traffic } = connection;
    assert.deepEqual([traffic.messagesReceived, traffic.messagesSent], [2, 2]);
    assert(traffic.bytesReceived - before.bytesReceived >= 201, `${traffic.bytesReceived} bytes`);
    assert(traffic.bytesSent - before.bytesSent >= 201, `${traffic.bytesSent} bytes`);
    const [served] = server.connections;
    assert.deepEqual([served.traffic.messagesReceived, served.traffic.messagesSent], [2, 2]);
    const { evidence } = await connection.close();
    const { messagesReceived, messagesSent } = evidence;
    assert.deepEqual(
      [connection.traffic.messagesReceived, connection.traffic.messagesSent],
      [messagesReceived, messagesSent],
    );
  });
}

for (const http2 of [false, true]) {
  test(`J2: both ends count the same bytes of a whole connection over ${http2 ? "HTTP/2" : "HTTP/1.1"}`, async () => {
    await using server = await serve(
      (connection) => connection.forEach((message) => connection.send(message)),
      { host: "127.0.0.1", http2 },
    );
    const client = await connect(server.url, { http2 });
    for (const message of ["a", new Uint8Array(100_000)]) {
      await client.send(message);
      await client.recv();
    }
    await client.ping();
    const [served] = server.connections;
    const { evidence: ours } = await client.close();
    const { evidence: theirs } = await served.closed;
    assert.deepEqual([theirs.bytesReceived, theirs.bytesSent], [ours.bytesSent, ours.bytesReceived]);
  });
}
