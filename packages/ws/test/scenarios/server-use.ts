// Servers as programs use them: verification, subprotocols, broadcasts, several servers.

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, thrownBy, urlOf, type Scenario, type Socket } from "../trace.js";

export const serverUseScenarios: Readonly<Record<string, Scenario>> = {
  "verifyClient that answers later": async (library, stage) => {
    const verifyClient = (_: unknown, done: (...answer: unknown[]) => void): void =>
      void setImmediate(() => done(false, 429, "Slow", { "Retry-After": 3 }));
    const server = await stage.serve(library, { verifyClient });
    const client = new library(urlOf(server));
    client.on("error", (error) => stage.note(error.message));
    const [, response] = (await once(client, "unexpected-response")) as [unknown, IncomingMessage];
    let body = "";
    for await (const chunk of response) body += String(chunk);
    const { "retry-after": retry, "content-type": type, connection } = response.headers;
    return [response.statusCode, response.statusMessage, retry, type, connection, body];
  },
  "a client that leaves while it is verified": async (library, stage) => {
    const asked = new Promise<(isVerified: boolean) => void>((resolve) => {
      const verifyClient = (_: unknown, done: (isVerified: boolean) => void): void => resolve(done);
      void stage.serve(library, { verifyClient }).then((server) => {
        server.on("connection", () => stage.note("accepted"));
        const client = new library(urlOf(server));
        client.on("error", (error) => stage.note(error.message));
        void asked.then(() => client.terminate());
      });
    });
    const done = await asked;
    await new Promise((resolve) => setTimeout(resolve, 30));
    stage.note(thrownBy(() => done(true)));
  },
  "handleProtocols that returns false": async (library, stage) => {
    const server = await stage.serve(library, { handleProtocols: () => false });
    const client = new library(urlOf(server), ["a"]);
    const error: unknown = await once(client, "open").catch((thrown: unknown) => thrown);
    return describe(error as Error);
  },
  "handleProtocols that returns another": async (library, stage) => {
    const server = await stage.serve(library, {
      handleProtocols: (offered: Set<string>) => {
        stage.note(offered instanceof Set, [...offered]);
        return "c";
      },
    });
    const client = new library(urlOf(server), ["a", "b"]);
    const error: unknown = await once(client, "open").catch((thrown: unknown) => thrown);
    return describe(error as Error);
  },
  "clients of a server": async (library, stage) => {
    const server = await stage.serve(library);
    const closed = new Promise<void>((resolve) => {
      server.on("connection", (socket) => {
        stage.note("connection", server.clients.has(socket), socket.readyState);
        socket.on("close", () => {
          stage.note("close", server.clients.size);
          resolve();
        });
      });
    });
    const client = new library(urlOf(server));
    await once(client, "open");
    client.close();
    await closed;
    stage.note(server.clients.size);
  },
  "two servers behind one HTTP server": async (library, stage) => {
    const servers = {
      "/a": new library.Server({ noServer: true }),
      "/b": new library.Server({ noServer: true }),
    };
    const http = await stage.http((request, socket, head) => {
      const server = servers[request.url as "/a"] as (typeof servers)["/a"] | undefined;
      if (server === undefined) socket.destroy();
      else {
        server.handleUpgrade(request, socket, head, (websocket) =>
          server.emit("connection", websocket, request, "extra"),
        );
      }
    });
    for (const [path, server] of Object.entries(servers)) {
      server.on("connection", (socket: Socket, { url }: IncomingMessage, ...extra: unknown[]) => {
        stage.note(path, url, extra);
        socket.close(4000);
      });
    }
    for (const path of ["/a", "/b", "/c"]) await stage.watch(new library(urlOf(http, path)));
  },
  "a broadcast": async (library, stage) => {
    const server = await stage.serve(library);
    const clients = [new library(urlOf(server)), new library(urlOf(server))];
    await Promise.all(clients.map((client) => once(client, "open")));
    while (server.clients.size < 2) await new Promise(setImmediate);
    const messages = Promise.all(clients.map((client) => once(client, "message")));
    for (const client of server.clients) {
      if (client.readyState === library.OPEN) client.send(Buffer.from("all"), { binary: false });
    }
    stage.note(...(await messages));
  },
  "another shouldHandle()": async (library, stage) => {
    const server = await stage.serve(library);
    server.shouldHandle = ({ url }) => url === "/yes";
    server.on("connection", (socket) => socket.close());
    for (const path of ["/yes", "/no"]) await stage.watch(new library(urlOf(server, path)));
  },
  "a server that closes with open connections": async (library, stage) => {
    const server = await stage.serve(library);
    const client = new library(urlOf(server));
    await once(client, "open");
    const over = new Promise<void>((resolve) =>
      server.close(() => {
        stage.note("closed", client.readyState);
        resolve();
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    stage.note("still open", client.readyState);
    client.close();
    await over;
  },
  "a page that asks for the port": async (library, stage) => {
    const server = await stage.serve(library);
    const response = await fetch(urlOf(server).replace("ws:", "http:"));
    return [response.status, response.headers.get("content-type"), await response.text()];
  },
  "what a server has": async (library, stage) => {
    const server = await stage.serve(library);
    const { port, clientTracking, noServer, path, maxPayload } = server.options;
    stage.note(server.eventNames(), port, clientTracking, noServer, path, maxPayload);
    return thrownBy(() => new library.Server({ noServer: true }).address());
  },
};
