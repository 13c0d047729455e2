// The end of a connection: codes, states, and the order of the events.

import { once } from "node:events";
import type { Socket as NetSocket } from "node:net";
import { acceptFor, switching } from "./client.js";
import { thrownBy, urlOf, type Library, type Scenario, type Socket, type Stage } from "../trace.js";

/** Lets `act` end a pair, and returns the events of each side. */
function ended(act: (client: Socket, server: Socket, stage: Stage) => void): Scenario {
  return async (library: Library, stage: Stage) => {
    const listener = await stage.serve(library);
    const accepted = once(listener, "connection") as Promise<[Socket]>;
    const client = new library(urlOf(listener));
    const both: Promise<void>[] = [stage.watch(client, "client")];
    const [server] = await accepted;
    both.push(stage.watch(server, "server"));
    if (client.readyState === 0) await once(client, "open");
    act(client, server, stage);
    await Promise.all(both);
    const events = stage.events.splice(0);
    return ["client", "server"].map((side) => events.filter((event) => event.startsWith(side)));
  };
}

const socketOf = (socket: Socket): NetSocket => (socket as unknown as { _socket: NetSocket })._socket;

/** A server writes `hex`, answers a Close with the same code, and ends TCP only after the client. */
function endedByClient(hex: string, act: (client: Socket) => void): Scenario {
  return async (library, stage) => {
    let hasAnswered = false;
    const ends: Promise<unknown>[] = [];
    const server = await stage.http((request, socket) => {
      socket.write(`${switching(acceptFor(request)).join("\r\n")}\r\n\r\n`);
      ends.push(once(socket, "end").then(() => socket.end()));
      socket.write(Buffer.from(hex, "hex"));
      socket.on("data", () => {
        if (!hasAnswered && hex === "") socket.write(Buffer.from("880203e8", "hex"));
        hasAnswered = true;
      });
    });
    const closeTimeout = 60_000; // Without our FIN, `close` would come that late.
    const client = new library(urlOf(server), { closeTimeout });
    ends.push(stage.watch(client));
    await once(client, "open");
    const began = Date.now();
    act(client);
    await Promise.all(ends);
    stage.note(Date.now() - began < closeTimeout / 2);
  };
}

export const closingScenarios: Readonly<Record<string, Scenario>> = {
  "a server that waits for our FIN after our Close": endedByClient("", (client) => client.close(1000)),
  "a server that waits for our FIN after its Close": endedByClient("88020fa0", () => undefined),
  "a server that waits for our FIN after an invalid frame": endedByClient("8500", () => undefined),
  "close() at the client": ended((client) => client.close()),
  "close() at the server": ended((_, server) => server.close()),
  "a code": ended((client) => client.close(1000)),
  "a code and a reason": ended((_, server) => server.close(4000, "some reason")),
  "a reason as a Buffer": ended((client) => client.close(3000, Buffer.from("bytes"))),
  "codes 1013 and 1014": async (library, stage) => [
    await ended((client) => client.close(1013))(library, stage),
    await ended((client) => client.close(1014))(library, stage),
  ],
  "invalid arguments": ended((client, _, stage) => {
    stage.note(
      "client",
      ...[
        () => client.close(999),
        () => client.close(1005),
        () => client.close("1000" as unknown as number),
        () => client.close(1000, "a".repeat(124)),
        () => client.close(1000, [1] as unknown as Buffer),
      ].map(thrownBy),
      client.readyState,
    );
    client.close(1000, "a".repeat(123));
  }),
  "both sides at once": ended((client, server) => {
    client.close(4001);
    server.close(4002);
  }),
  "data before the Close": ended((_, server) => {
    for (const text of ["foo", "bar", "baz"]) server.send(text);
    server.close();
    server.close();
  }),
  "terminate() at the server": ended((_, server) => server.terminate()),
  "terminate() at the client": ended((client, _, stage) => {
    client.terminate();
    stage.note("client", client.readyState);
  }),
  "a FIN without a Close": ended((_, server) => socketOf(server).end()),
  "a reset": ended((_, server) => socketOf(server).resetAndDestroy()),
  "a destroyed socket of our own": ended((client) => socketOf(client).destroy()),
  "send() in a listener of close": ended((client, server, stage) => {
    client.on("close", () => client.send("late", (error) => stage.note("client", error?.message)));
    server.close();
  }),
  "a message that arrives after close()": ended((client, server) => {
    server.send("late");
    client.close();
  }),
};
