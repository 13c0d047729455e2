// y-websocket has no server any more; this one speaks its protocol as y-websocket-server does.

import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket, type RawData, type WebSocketServer } from "@holdfast/ws";
import { eventually } from "holdfast-testkit";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as sync from "y-protocols/sync";
import * as Y from "yjs";
import type { WebSocketClass } from "../libraries/library.js";
import { closeDocument, openDocument, type OpenDocument } from "../libraries/y-websocket.js";
import { closeWs, isOnHoldfast, serveWs, type WsUser } from "./user.js";

const SYNC = 0;

function serveDocument(server: WebSocketServer, document: Y.Doc): void {
  const send = (socket: WebSocket, write: (encoder: encoding.Encoder) => void): void => {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, SYNC);
    write(encoder);
    if (encoding.length(encoder) > 1) socket.send(encoding.toUint8Array(encoder));
  };
  document.on("update", (update: Uint8Array) => {
    for (const socket of server.clients) send(socket, (encoder) => sync.writeUpdate(encoder, update));
  });
  server.on("connection", (socket) => {
    socket.binaryType = "arraybuffer";
    socket.on("message", (data: RawData) => {
      const decoder = decoding.createDecoder(new Uint8Array(data as ArrayBuffer));
      if (decoding.readVarUint(decoder) !== SYNC) return; // Awareness is not tested.
      send(socket, (encoder) => sync.readSyncMessage(decoder, encoder, document, socket));
    });
    send(socket, (encoder) => sync.writeSyncStep1(encoder, document));
  });
}

const open = (url: string): OpenDocument => openDocument(WebSocket as unknown as WebSocketClass, url);

export const yWebsocket: WsUser = {
  row: "y-websocket",
  packageName: "y-websocket",
  change: "`new WebSocketServer(…)` of `@holdfast/ws`",

  async messages() {
    const { server, url } = await serveWs();
    serveDocument(server, new Y.Doc());
    const [one, other] = [open(url), open(url)];
    try {
      await eventually(() => one.provider.synced && other.provider.synced, "both documents");
      one.doc.getText("text").insert(0, "from one");
      await eventually(() => other.doc.getText("text").toJSON() === "from one", "the text");
      other.doc.getText("text").insert(0, "x".repeat(100_000));
      await eventually(() => one.doc.getText("text").length === 100_008, "the answer");
      assert.deepEqual([...server.clients].map(isOnHoldfast), [true, true]);
    } finally {
      for (const document of [one, other]) closeDocument(document);
      await closeWs(server);
    }
  },

  async endings() {
    const { server, url } = await serveWs();
    serveDocument(server, new Y.Doc());
    const accepted = once(server, "connection") as Promise<[WebSocket]>;
    const document = open(url);
    try {
      await eventually(() => document.provider.synced, "the document");
      const [socket] = await accepted;
      const closed = once(socket, "close") as Promise<[number]>;
      document.provider.disconnect();
      assert.equal((await closed)[0], 1005);
    } finally {
      closeDocument(document);
      await closeWs(server);
    }
  },
};
