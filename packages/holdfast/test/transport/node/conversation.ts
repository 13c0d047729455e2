// A client and a server in one process, for tests that look at its output.

import { connect, serve, type Logger } from "holdfast";

const line = (level: string) => (message: string) =>
  void process.stderr.write(`given: ${level} ${message}\n`);
const given: Logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
const logger = process.env["HOLDFAST_DEBUG"] === "given" ? given : null;

const server = await serve(
  async (connection) => {
    for await (const message of connection) await connection.send(message);
  },
  { host: "127.0.0.1", logger },
);
const connection = await connect(server.url.replace("//", "//user:s3cret@"), {
  headers: { Cookie: "session=s3cret" },
  logger,
});
await connection.send("Hello");
await connection.recv();
await connection.ping("now?");
await connection.close(1000, "bye");
await server.close();
