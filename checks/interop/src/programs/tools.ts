// HTTP servers of the runtime, the inspector and the fake clock, all in this process: prints a line for each that works.
// The argument is the server's certificate as JSON.

import { once } from "node:events";
import { createServer } from "node:https";
import { argv } from "node:process";
import { attach, connect, inspect, serve, type ServerRequest } from "holdfast";
import { FakeClock } from "holdfast/testing";

interface Certificate {
  readonly ca: string;
  readonly server: { readonly key: string; readonly cert: string };
}

const { ca, server: keyAndCert } = JSON.parse(argv[2] ?? "") as Certificate;
const web = createServer(keyAndCert);
const requests: ServerRequest[] = [];
const attached = attach(web, (connection) => connection.closed, {
  onRequest: (request) => void requests.push(request),
});
web.listen(0, "127.0.0.1");
await once(web, "listening");
const secure = await connect(attached.url, { tls: { ca } });
console.log("attach:", attached.url.slice(0, 6), requests[0]?.url.slice(0, 6), requests[0]?.tls?.authorized);
await secure.close();
await attached.close();
web.close();

const server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
  host: "127.0.0.1",
  http2: true,
});
const overHttp2 = await connect(server.url, { http2: true });
await overHttp2.send("hello");
console.log("http2:", overHttp2.response.status, await overHttp2.recv());
await overHttp2.close();
const inspector = inspect(server, { authorize: () => true });
console.log("inspect:", new URL(inspector.url).protocol);
inspector.close();

const clock = new FakeClock();
const restore = clock.install();
const connection = await connect(server.url);
await clock.advanceAsync(120_000);
console.log("clock:", connection.state, connection.latencyStats.answered > 4);
restore();
console.log("clock:", performance.now() > 0);
connection.terminate();
await server.close();
