import assert from "node:assert/strict";
import { serve, type Connection, type Server } from "holdfast";
import { eventually } from "holdfast-testkit";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as sync from "y-protocols/sync";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import type { Library, WebSocketClass } from "./library.js";

const SYNC = 0;

export const yWebsocket: Library = {
  row: "y-websocket",
  packageName: "y-websocket",
  withoutSessions: null,
  note: "y-websocket 3 has no server: a few lines on y-protocols",
  async run(Class) {
    const { server, state } = await startYjsServer();
    const one = openDocument(Class, server.url);
    const other = openDocument(Class, server.url);
    one.doc.getText("t").insert(0, "hello");
    await eventually(() => other.doc.getText("t").toJSON() === "hello", "the text");
    other.doc.getText("t").insert(5, " world");
    await eventually(() => one.doc.getText("t").toJSON() === "hello world", "the answer");
    assert.equal(state.connections, 2);
    for (const document of [one, other]) closeDocument(document);
    await server.close();
  },
};

export interface YjsServer {
  readonly server: Server;
  readonly doc: Y.Doc;
  readonly state: { connections: number };
}

/** The sync protocol for one document. */
export async function startYjsServer(): Promise<YjsServer> {
  const doc = new Y.Doc();
  const connections = new Set<Connection>();
  const state = { connections: 0 };
  doc.on("update", (update: Uint8Array, origin: unknown) => {
    const message = encode((encoder) => sync.writeUpdate(encoder, update));
    for (const connection of connections) if (connection !== origin) void connection.send(message);
  });
  const server = await serve(
    async (connection) => {
      state.connections++;
      connections.add(connection);
      await connection.send(encode((encoder) => sync.writeSyncStep1(encoder, doc)));
      await connection.forEach((message) => {
        const decoder = decoding.createDecoder(message as Uint8Array);
        if (decoding.readVarUint(decoder) !== SYNC) return undefined; // Awareness.
        const answer = encoding.createEncoder();
        encoding.writeVarUint(answer, SYNC);
        sync.readSyncMessage(decoder, answer, doc, connection);
        return encoding.length(answer) > 1 ? connection.send(encoding.toUint8Array(answer)) : undefined;
      });
      connections.delete(connection);
    },
    { host: "127.0.0.1", sessions: true },
  );
  return { server, doc, state };
}

function encode(write: (encoder: encoding.Encoder) => void): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, SYNC);
  write(encoder);
  return encoding.toUint8Array(encoder);
}

export interface OpenDocument {
  readonly doc: Y.Doc;
  readonly provider: WebsocketProvider;
}

export function openDocument(Class: WebSocketClass, url: string): OpenDocument {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url, "room", doc, { WebSocketPolyfill: Class, disableBc: true });
  return { doc, provider };
}

export function closeDocument({ doc, provider }: OpenDocument): void {
  provider.destroy();
  doc.destroy(); // Otherwise the timer of its awareness keeps the process alive.
}
