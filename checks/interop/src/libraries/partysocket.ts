import assert from "node:assert/strict";
import { once } from "node:events";
import { serve } from "holdfast";
import ReconnectingWebSocket from "partysocket/ws";
import type { Library } from "./library.js";

export const partysocket: Library = {
  row: "partysocket",
  packageName: "partysocket",
  withoutSessions: null,
  note: null,
  async run(Class) {
    let opened = 0;
    const server = await serve(
      async (connection) => {
        opened++;
        for await (const message of connection) {
          if (message === "end") return;
          await connection.send(message);
        }
      },
      { host: "127.0.0.1", sessions: true },
    );
    const socket = new ReconnectingWebSocket(server.url, [], { WebSocket: Class, minReconnectionDelay: 1 });
    socket.binaryType = "arraybuffer";
    for (let round = 1; round <= 2; round++) {
      await once(socket, "open");
      socket.send("text");
      assert.equal(await nextData(socket), "text");
      socket.send(new Uint8Array([1, 2]));
      assert.deepEqual(new Uint8Array((await nextData(socket)) as ArrayBuffer), new Uint8Array([1, 2]));
      assert.equal(opened, round);
      if (round === 1) socket.send("end"); // It reconnects by itself.
    }
    socket.close();
    await server.close();
  },
};

async function nextData(socket: ReconnectingWebSocket): Promise<unknown> {
  const [event] = (await once(socket, "message")) as [MessageEvent];
  return event.data as unknown;
}
