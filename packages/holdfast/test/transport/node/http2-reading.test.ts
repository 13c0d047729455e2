import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { connect, serve, type CloseInfo } from "../../../build/index.js";
import { eventually, withTimeout } from "holdfast-testkit";
import {
  END_HEADERS,
  headerBlock,
  http2Attacker,
  http2Frame,
  PREFACE,
  TYPE,
  upgradeFrame,
} from "../../security/http2-frames.js";

/** More padding than the frame has bytes: the receiver answers with GOAWAY (RFC 9113 section 6.1). */
const INVALID = http2Frame(TYPE.data, 8, 1, Buffer.of(200, 0, 0, 0, 0));
/** Node 22 and later end the connection themselves. */
const LEFT = /^(?:eof|reset|protocol-error)$/;

test("B9: a server notices that a client has left after an invalid HTTP/2 frame, without pings", async () => {
  const ends: CloseInfo[] = [];
  const server = await serve((connection) => void connection.closed.then((info) => ends.push(info)), {
    host: "127.0.0.1",
    http2: true,
    pingInterval: null,
  });
  const client = await http2Attacker({ port: server.port });
  client.write(Buffer.concat([upgradeFrame(1), INVALID]));
  while ((await readFrame(client)) !== TYPE.goaway);
  client.reset();
  await eventually(() => ends.length === 1, "the end");
  assert.match(ends[0].cause, LEFT);
  await server.close();
});

test("B9: a client notices that a server has left after an invalid HTTP/2 frame, without pings", async () => {
  const enableConnect = http2Frame(TYPE.settings, 0, 0, Buffer.of(0, 8, 0, 0, 0, 1));
  const accepted = http2Frame(TYPE.headers, END_HEADERS, 1, headerBlock([[":status", "200"]]));
  const server = createServer((socket: Socket) => {
    socket.write(enableConnect);
    let received = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const types = frameTypes(received.subarray(PREFACE.length));
      if (types.includes(TYPE.goaway)) socket.destroy();
      else if (types.includes(TYPE.headers) && socket.bytesWritten === enableConnect.length) {
        socket.write(Buffer.concat([accepted, INVALID]));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const connection = await connect(`ws://127.0.0.1:${port}`, { http2: true, pingInterval: null });
  assert.match((await withTimeout(connection.closed, 30_000, "the end")).cause, LEFT);
  await new Promise((resolve) => server.close(resolve));
});

/** The types of the frames that have arrived whole. */
function frameTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3]);
  return types;
}

/** Reads one frame, and returns its type. */
async function readFrame(client: Awaited<ReturnType<typeof http2Attacker>>): Promise<number> {
  const head = Buffer.from(await client.read(9));
  await client.read(head.readUIntBE(0, 3));
  return head[3];
}
