// Sessions, topics and the standard's WebSocket, both ends in this process: prints a line for each that works.

import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";
import { connect, connectPersistent, serve } from "holdfast";
import { createTopics, subscribe } from "holdfast/topics";
import { ResumableWebSocket, WebSocket } from "holdfast/websocket";

const topics = createTopics({ history: true });
const server = await serve(
  async (connection) => {
    topics.open(connection, { authorize: () => true });
    await connection.forEach((message) => connection.send(message));
  },
  { host: "127.0.0.1", sessions: true },
);

/** A way to the server that can be cut. */
const sockets = new Set<Socket>();
const way = createServer((near) => {
  const far = createConnection(server.port, "127.0.0.1");
  for (const socket of [near, far]) sockets.add(socket.on("error", () => undefined));
  near.pipe(far).pipe(near);
});
await new Promise<void>((resolve) => way.listen(0, "127.0.0.1", resolve));
const { port } = way.address() as AddressInfo; // It listens on TCP.

const link = connectPersistent(`ws://127.0.0.1:${port}`, { session: true, minDelay: 0, firstDelay: 0 });
await link.send("before the cut", { until: "delivered" });
console.log("session:", await link.recv());
const session = link.connection?.session?.id;
for (const socket of sockets) socket.destroy();
await link.send("after the cut", { until: "delivered" });
console.log("session:", await link.recv(), link.connection?.session?.id === session);
await link.close();
way.close();

const client = await connect(server.url, { linkProtocol: true });
const { epoch } = await topics.publish("news", "earlier");
for await (const event of subscribe(client, "news", { since: { epoch: epoch ?? "", offset: 0 } })) {
  console.log("topic:", event.type === "message" ? event.data : event.type);
  if (event.type === "message" && event.data === "later") break;
  await topics.publish("news", "later");
}
await client.close();

for (const Class of [WebSocket, ResumableWebSocket]) {
  const socket = new Class(server.url);
  socket.onopen = () => socket.send("hello");
  const data = await new Promise((resolve) => (socket.onmessage = (event) => resolve(event.data)));
  const closed = new Promise((resolve) => (socket.onclose = (event) => resolve(event.code)));
  socket.close(1000);
  console.log(`${Class.name}:`, data, await closed);
}

await server.close();
await topics.close();
