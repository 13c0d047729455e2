import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { mock } from "node:test";
import { WebSocketServer } from "@holdfast/ws";
import { Server, type Socket } from "socket.io";
import { io } from "socket.io-client";
import { isOnHoldfast, listening, type WsUser } from "./user.js";

async function withPair(
  play: (client: ReturnType<typeof io>, socket: Socket, server: Server) => Promise<void>,
  transports: ("polling" | "websocket")[] = ["websocket"],
  perMessageDeflate = true,
): Promise<void> {
  const http = createServer();
  const server = new Server(http, { wsEngine: WebSocketServer, perMessageDeflate });
  const port = await listening(http);
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const client = io(`http://127.0.0.1:${port}`, { transports, reconnection: false });
  try {
    const socket = await accepted;
    await play(client, socket, server);
  } finally {
    client.disconnect();
    await server.close();
  }
}

/** The part of a WebSocket of `ws` that Socket.IO uses for frames that it made itself. */
interface Sending {
  readonly _sender: { sendFrame(list: Buffer[], done: () => void): void };
}

export const socketIo: WsUser = {
  row: "Socket.IO",
  packageName: "socket.io",
  change: "`wsEngine: WebSocketServer`",

  async messages() {
    await withPair(async (client, socket, server) => {
      socket.on("sum", (numbers: number[], done: (sum: number) => void) =>
        done(numbers.reduce((sum, number) => sum + number, 0)),
      );
      socket.on("bytes", (bytes: Buffer) => socket.emit("bytes", bytes, bytes.length));
      assert.equal(await client.timeout(5000).emitWithAck("sum", [1, 2, 39]), 42);
      const echoed = once(client as never, "bytes") as Promise<[Uint8Array, number]>;
      client.emit("bytes", Buffer.alloc(50_000, 7));
      const [bytes, size] = await echoed;
      assert.deepEqual([bytes.byteLength, size], [50_000, 50_000]);
      const broadcast = once(client as never, "news") as Promise<[string]>;
      server.emit("news", "é".repeat(2000));
      assert.equal((await broadcast)[0].length, 2000);
      const { transport } = socket.conn as unknown as { transport: { name: string; socket: unknown } };
      assert.deepEqual([transport.name, isOnHoldfast(transport.socket)], ["websocket", true]);
    });
    // Without compression, Socket.IO frames a broadcast once, for all sockets.
    await withPair(
      async (client, socket, server) => {
        const broadcast = once(client as never, "news") as Promise<[string]>;
        const { _sender: sender } = (socket.conn as unknown as { transport: { socket: Sending } }).transport
          .socket;
        const sendFrame = mock.method(sender, "sendFrame");
        server.emit("news", "é".repeat(2000));
        assert.equal((await broadcast)[0].length, 2000);
        assert.equal(sendFrame.mock.callCount(), 1);
      },
      ["websocket"],
      false,
    );
  },

  endings: () =>
    withPair(
      async (client, socket) => {
        if (socket.conn.transport.name !== "websocket") await once(socket.conn, "upgrade");
        const gone = once(socket, "disconnect") as Promise<[string]>;
        client.disconnect();
        assert.equal((await gone)[0], "client namespace disconnect");
      },
      ["polling", "websocket"],
    ),
};
