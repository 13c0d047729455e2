import { setTimeout } from "node:timers/promises";
import assert from "node:assert/strict";
import { buildSchema, type GraphQLSchema } from "graphql";
import { createClient, makeServer, type Client } from "graphql-ws";
import { serve, type Server } from "holdfast";
import type { Library, WebSocketClass } from "./library.js";

export const graphqlWs: Library = {
  row: "graphql-ws",
  packageName: "graphql-ws",
  withoutSessions: null,
  note: null,
  async run(Class) {
    const { server, state } = await startGraphqlServer(5);
    const client = createGraphqlClient(Class, server.url);
    assert.deepEqual(await collect(client), [1, 2, 3, 4, 5]);
    assert.equal(state.subscriptions, 1);
    await client.dispose();
    await server.close();
  },
};

export interface GraphqlServer {
  readonly server: Server;
  readonly state: {
    /** How often a client has subscribed. */
    subscriptions: number;
    /** How many sockets clients have opened. */
    sockets: number;
    /** The last number of the subscription; it may be set later. */
    last: number;
  };
}

/** A server with one subscription, which counts from 1, one number in each millisecond. */
export async function startGraphqlServer(last: number): Promise<GraphqlServer> {
  const state = { subscriptions: 0, sockets: 0, last };
  const schema: GraphQLSchema = buildSchema("type Query { x: Int } type Subscription { count: Int }");
  const count = schema.getSubscriptionType()?.getFields()["count"];
  if (count === undefined) throw new Error("Expected the field `count`");
  count.subscribe = async function* () {
    state.subscriptions++;
    for (let number = 1; number <= state.last; number++) {
      await setTimeout(1);
      yield { count: number };
    }
  };
  const graphql = makeServer({ schema });
  const server = await serve(
    async (connection) => {
      let onMessage: (text: string) => Promise<void> = () => Promise.resolve();
      const closed = graphql.opened(
        {
          protocol: connection.subprotocol ?? "",
          send: (text) => connection.send(text),
          close: (code, reason) => void connection.close(code, reason),
          onMessage: (callback) => void (onMessage = callback),
        },
        {},
      );
      // A subscription sends for long: messages of the client must not wait for it. Its sends fail once the client has
      // left.
      const info = await connection.forEach((message) => {
        onMessage(String(message)).catch(() => undefined);
      });
      await closed(info.code, info.reason);
    },
    {
      host: "127.0.0.1",
      subprotocols: ["graphql-transport-ws"],
      sessions: true,
      onRequest: () => {
        state.sockets++;
      },
    },
  );
  return { server, state };
}

export function createGraphqlClient(Class: WebSocketClass, url: string): Client {
  return createClient({ url, webSocketImpl: Class, retryAttempts: 0 });
}

/** The numbers that the subscription yields. */
export function collect(
  client: Client,
  onNumber: (number: number) => void = () => undefined,
): Promise<number[]> {
  const numbers: number[] = [];
  return new Promise((resolve, reject) => {
    client.subscribe<{ count: number }>(
      { query: "subscription { count }" },
      {
        next: ({ data }) => {
          const number = data?.count ?? NaN;
          numbers.push(number);
          onNumber(number);
        },
        error: reject,
        complete: () => resolve(numbers),
      },
    );
  });
}
