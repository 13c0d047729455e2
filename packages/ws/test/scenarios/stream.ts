// createWebSocketStream().

import { once } from "node:events";
import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, urlOf, type Library, type Scenario, type Socket, type Stage } from "../trace.js";
import { pair } from "./messages.js";

/** Opens a pair, of which the client is a stream, and records the stream's events until it closes. */
function streamed(
  act: (stream: Duplex, client: Socket, server: Socket) => void,
  options: object = {},
): Scenario {
  return async (library: Library, stage: Stage) => {
    const listener = await stage.serve(library);
    const accepted = once(listener, "connection") as Promise<[Socket]>;
    const client = new library(urlOf(listener));
    const stream = library.createWebSocketStream(client, options);
    const closed = new Promise<void>((resolve) => stream.on("close", () => resolve()));
    for (const event of ["end", "finish"]) stream.on(event, () => stage.note(event));
    stream.on("error", (error) => stage.note("error", describe(error), stream.destroyed));
    const [server] = await accepted;
    server.on("message", (data) => stage.note("server", data));
    server.on("error", () => undefined);
    if (client.readyState === 0) await once(client, "open");
    act(stream, client, server);
    await closed;
    stage.note(stream.destroyed, client.readyState);
  };
}

export const streamScenarios: Readonly<Record<string, Scenario>> = {
  "the peer's end": streamed((stream, _, server) => {
    stream.on("data", (chunk) => stream.emit("chunk", chunk));
    stream.on("end", () => stream.end());
    server.send(Buffer.from("hi"));
    server.close();
  }),
  "our end": streamed((stream) => {
    stream.resume();
    stream.end("bye");
  }),
  "a protocol error": streamed((_, __, server) => {
    (server as unknown as { _socket: NetSocket })._socket.write(Buffer.from("8500", "hex"));
  }),
  "destroy()": streamed((stream) => stream.destroy()),
  "destroy() with an error": streamed((stream) => stream.destroy(new Error("Oops"))),
  "a write after the end of the connection": streamed((stream, client, server) => {
    client.on("close", () => stream.write("late"));
    server.close();
  }),
  "text with an encoding": streamed(
    (stream, _, server) => {
      stream.on("data", (chunk: unknown) => server.emit("message", Buffer.from(typeof chunk)));
      stream.on("end", () => stream.end());
      server.send("text");
      server.close();
    },
    { encoding: "utf8" },
  ),
  "text in object mode": streamed(
    (stream, _, server) => {
      stream.on("data", (chunk: unknown) => server.emit("message", Buffer.from(typeof chunk)));
      stream.on("end", () => stream.end());
      server.send("text");
      server.send(Buffer.from("bytes"));
      server.close();
    },
    { readableObjectMode: true },
  ),
  "much data through a slow reader": streamed((stream, _, server) => {
    let size = 0;
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      stream.pause();
      setImmediate(() => stream.resume());
    });
    stream.on("end", () => {
      server.emit("message", Buffer.from(String(size)));
      stream.end();
    });
    for (let index = 0; index < 100; index++) server.send(Buffer.alloc(20_000));
    server.close();
  }),
  "an error of the source of a pipeline": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const stream = library.createWebSocketStream(client);
    async function* source(): AsyncGenerator<string> {
      yield "a";
      await new Promise(setImmediate);
      throw new Error("Oops");
    }
    const gone = once(server, "close");
    stage.note(await pipeline(source, stream).catch((error: unknown) => describe(error as Error)));
    stage.note((await gone)[0], stream.destroyed);
  },
  "iteration with an encoding": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const stream = library.createWebSocketStream(client, { encoding: "utf8" });
    server.send("a");
    server.send("b");
    server.close();
    let text = "";
    for await (const chunk of stream) text += String(chunk);
    stage.note(text, stream.destroyed);
  },
  "texts with decodeStrings: false": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const stream = library.createWebSocketStream(client, { decodeStrings: false });
    const closed = stage.watch(server);
    stream.write("text");
    stream.write(Buffer.from("bytes"));
    stream.end();
    stream.resume();
    await closed;
  },
  "writes before it is open": async (library, stage) => {
    const server = await stage.serve(library);
    const closed = new Promise<void>((resolve) =>
      server.on("connection", (socket) => void stage.watch(socket).then(resolve)),
    );
    const stream = library.createWebSocketStream(new library(urlOf(server)));
    stream.write("early");
    stream.end("end");
    stream.resume();
    await closed;
  },
  "a connection that is refused": async (library, stage) => {
    const stream = library.createWebSocketStream(new library("ws://127.0.0.1:1"));
    const [error] = (await once(stream, "error")) as [Error];
    stage.note(describe(error), stream.destroyed);
  },
  "an echo of much data": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const echo = library.createWebSocketStream(server);
    echo.pipe(echo);
    const stream = library.createWebSocketStream(client);
    const size = 4 * 1024 * 1024;
    let received = 0;
    stream.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received === size) stream.end();
    });
    for (let sent = 0; sent < size; sent += 65_536) {
      if (!stream.write(Buffer.alloc(65_536))) await once(stream, "drain");
    }
    await once(stream, "close");
    return received;
  },
};
