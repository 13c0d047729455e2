// A server that echoes every message, and closes its connections on Ctrl-C.
//
//   npm run example -- echo-server          on port 8080
//   npm run example -- echo-server 0        on any free port

import { serve } from "holdfast";

const server = await serve(
  async (connection) => {
    console.log(`${connection.id} opened`);
    void connection.closed.then((info) => console.log(`${connection.id} ended: ${info.message}`));
    for await (const message of connection) await connection.send(message);
  },
  { port: Number(process.argv[2] ?? 8080) },
);
console.log(`Listening on ${server.url}`);

// Close with 1001 (going away); clients that do not answer within five seconds are cut.
process.once("SIGINT", () => void server.close({ code: 1001, reason: "Ctrl-C", timeout: 5_000 }));
