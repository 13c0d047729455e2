// A server with sessions in a process of its own: echoes, with the number of the process, until it receives a message.
// Arguments: the directory of the store, and `durability`.

import { fileStore, serve, type SessionDurability } from "holdfast";

const [directory = "", durability = ""] = process.argv.slice(2);

const server = await serve(
  (connection) => connection.forEach((message) => connection.send(`re:${String(message)}`)),
  {
    host: "127.0.0.1",
    // A choice of the test; the server checks it.
    sessions: {
      durability: durability as SessionDurability,
      store: fileStore({ directory }),
      retain: 30_000,
    },
  },
);
process.send?.(server.port);
process.once("message", () => {
  void server.close({ timeout: 20_000 }).then(() => process.exit());
});
