// Libraries that were written for `ws`, on `@holdfast/ws`.

import { describe } from "node:test";
import { noteCell, noteVersion, testCell } from "./matrix/test-cell.js";
import { installedVersion } from "./peers/installed-version.js";
import { LIMIT } from "./scenes/common-tests.js";
import { crossws } from "./ws-users/crossws.js";
import { fastifyWebsocket } from "./ws-users/fastify-websocket.js";
import { graphqlWs } from "./ws-users/graphql-ws.js";
import { httpProxy } from "./ws-users/http-proxy.js";
import { socketIo } from "./ws-users/socket-io.js";
import { trpc } from "./ws-users/trpc.js";
import { vite } from "./ws-users/vite.js";
import { webpackDevServer } from "./ws-users/webpack-dev-server.js";
import { yWebsocket } from "./ws-users/y-websocket.js";

const OPTIONS = { skip: false, timeout: 3 * LIMIT } as const;

const USERS = [
  ...[socketIo, graphqlWs, trpc, yWebsocket, fastifyWebsocket, crossws, httpProxy],
  ...[webpackDevServer, vite],
];

for (const user of USERS) {
  const { row } = user;
  noteVersion(row, installedVersion(user.packageName));
  noteCell({ row, position: "server", column: "messages" }, `The change: ${user.change}.`);
  describe(`${row} on @holdfast/ws`, () => {
    testCell(
      { row, position: "server", column: "messages" },
      `N4: ${row} on @holdfast/ws: messages in both directions`,
      OPTIONS,
      () => user.messages(),
    );
    testCell(
      { row, position: "server", column: "endings" },
      `N4: ${row} on @holdfast/ws: it learns how connections end`,
      OPTIONS,
      () => user.endings(),
    );
  });
}
