// Client libraries that take a class `WebSocket`, each with those of holdfast/websocket.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { ResumableWebSocket, WebSocket } from "holdfast/websocket";
import { eventually, FaultProxy } from "holdfast-testkit";
import { ethersJs } from "./libraries/ethers.js";
import { collect, createGraphqlClient, graphqlWs, startGraphqlServer } from "./libraries/graphql-ws.js";
import { withOptions, type Library } from "./libraries/library.js";
import { mqttJs } from "./libraries/mqtt.js";
import { partysocket } from "./libraries/partysocket.js";
import { phoenix } from "./libraries/phoenix.js";
import { signalR } from "./libraries/signalr.js";
import { trpc } from "./libraries/trpc.js";
import { closeDocument, openDocument, startYjsServer, yWebsocket } from "./libraries/y-websocket.js";
import { noteCell, noteVersion, testCell } from "./matrix/test-cell.js";
import { installedVersion } from "./peers/installed-version.js";

const LIBRARIES: readonly Library[] = [
  graphqlWs,
  trpc,
  partysocket,
  yWebsocket,
  mqttJs,
  ethersJs,
  signalR,
  phoenix,
];
const CUTS = Number(process.env["HOLDFAST_CUTS"] ?? 50);
const options = { skip: false as const, timeout: 60_000 };

describe("Client libraries", () => {
  for (const { row, packageName, withoutSessions, note, run } of LIBRARIES) {
    noteVersion(row, installedVersion(packageName));
    const cell = (column: "cuts" | "ResumableWebSocket" | "WebSocket") =>
      ({ row, position: "client", column }) as const;
    if (note !== null) noteCell(cell("WebSocket"), note);
    testCell(cell("WebSocket"), `N3: ${row} works on WebSocket`, options, () => run(WebSocket));
    if (withoutSessions !== null) {
      noteCell(cell("ResumableWebSocket"), withoutSessions);
      continue;
    }
    testCell(cell("ResumableWebSocket"), `N3: ${row} works on ResumableWebSocket`, options, () =>
      run(ResumableWebSocket),
    );
  }
});

describe(`${CUTS} cuts under ResumableWebSocket`, () => {
  const Class = withOptions(ResumableWebSocket, { minDelay: 0, firstDelay: 1, maxDelay: 10 });
  const bounded = { skip: false as const, timeout: 60_000 + CUTS * 500 };

  testCell(
    { row: "graphql-ws", position: "client", column: "cuts" },
    "N3: a graphql-ws subscription misses no event and subscribes once",
    bounded,
    async () => {
      const { server, state } = await startGraphqlServer(Infinity);
      const proxy = await FaultProxy.start({ target: { port: server.port } });
      const client = createGraphqlClient(Class, proxy.url("ws"));
      let cuts = 0;
      const numbers = await collect(client, (number) => {
        if (state.sockets <= cuts) return; // The cut before is not over yet.
        if (cuts === CUTS) state.last = Math.min(state.last, number + 1_000);
        else proxy.cut({ kind: cuts++ % 2 === 0 ? "rst" : "fin" });
      });
      assert.ok(numbers.length > CUTS);
      assert.deepEqual(
        numbers,
        Array.from(numbers, (_, index) => index + 1),
      );
      assert.equal(state.sockets, CUTS + 1);
      assert.equal(state.subscriptions, 1);
      await client.dispose();
      await proxy.close();
      await server.close();
    },
  );

  testCell(
    { row: "y-websocket", position: "client", column: "cuts" },
    "N3: a Yjs document misses no update and connects once",
    bounded,
    async () => {
      const { server, doc, state } = await startYjsServer();
      const proxy = await FaultProxy.start({ target: { port: server.port } });
      const cutOff = openDocument(Class, proxy.url("ws"));
      const direct = openDocument(WebSocket, server.url);
      await eventually(() => cutOff.provider.synced && direct.provider.synced, "both documents");
      for (let cut = 0; cut < CUTS; cut++) {
        cutOff.doc.getArray("a").push([`cut ${cut}`]);
        direct.doc.getArray("b").push([`direct ${cut}`]);
        proxy.cut({ kind: cut % 2 === 0 ? "rst" : "fin" });
        direct.doc.getArray("b").push([`after ${cut}`]);
        await eventually(
          () => doc.getArray("a").length === cut + 1 && cutOff.doc.getArray("b").length === 2 * (cut + 1),
          "the updates",
        );
      }
      for (const name of ["a", "b"]) {
        await eventually(
          () => direct.doc.getArray(name).length === doc.getArray(name).length,
          "the last update",
        );
        assert.deepEqual(direct.doc.getArray(name).toJSON(), cutOff.doc.getArray(name).toJSON());
      }
      assert.equal(state.connections, 2);
      for (const document of [cutOff, direct]) closeDocument(document);
      await proxy.close();
      await server.close();
    },
  );
});
