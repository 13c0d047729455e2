import assert from "node:assert/strict";
import { once } from "node:events";
import { GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
import { createClient, type Client } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { WebSocket } from "@holdfast/ws";
import { closeWs, isOnHoldfast, serveWs, type WsUser } from "./user.js";

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: "Query",
    fields: { hello: { type: GraphQLString, resolve: () => "world" } },
  }),
  subscription: new GraphQLObjectType({
    name: "Subscription",
    fields: {
      count: {
        type: GraphQLInt,
        subscribe: async function* () {
          for (let count = 1; count <= 3; count++) yield await Promise.resolve({ count });
        },
      },
    },
  }),
});

async function withClient(play: (client: Client, events: string[]) => Promise<void>): Promise<void> {
  const { server, url } = await serveWs();
  const events: string[] = [];
  const used = useServer(
    {
      schema,
      onConnect: ({ extra }) => void events.push(`connect ${isOnHoldfast(extra.socket)}`),
      onDisconnect: (_, code) => void events.push(`disconnect ${code}`),
    },
    server as never, // The types of graphql-ws name those of ws.
  );
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
  try {
    await play(client, events);
  } finally {
    await client.dispose();
    await used.dispose();
    await closeWs(server);
  }
}

async function collect(client: Client, query: string): Promise<unknown[]> {
  const results: unknown[] = [];
  for await (const { data } of client.iterate({ query })) results.push({ ...data });
  return results;
}

export const graphqlWs: WsUser = {
  row: "graphql-ws",
  packageName: "graphql-ws",
  change: "`useServer(options, new WebSocketServer(…))`",

  messages: () =>
    withClient(async (client, events) => {
      assert.deepEqual(await collect(client, "{ hello }"), [{ hello: "world" }]);
      assert.deepEqual(await collect(client, "subscription { count }"), [
        { count: 1 },
        { count: 2 },
        { count: 3 },
      ]);
      assert.equal(events[0], "connect true");
    }),

  endings: () =>
    withClient(async (client, events) => {
      const sockets: WebSocket[] = [];
      client.on("connected", (socket) => sockets.push(socket as WebSocket));
      assert.deepEqual(await collect(client, "{ hello }"), [{ hello: "world" }]);
      const [socket] = sockets;
      if (socket !== undefined && socket.readyState !== WebSocket.CLOSED) await once(socket, "close");
      while (events.length < 2) await new Promise(setImmediate);
      assert.deepEqual(events, ["connect true", "disconnect 1000"]);
    }),
};
