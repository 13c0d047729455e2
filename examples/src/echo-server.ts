// A server that sends every message back, and says goodbye on Ctrl-C.
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

// 1001 (going away) to everybody; who does not answer is cut off after five seconds.
process.once("SIGINT", () => void server.close({ code: 1001, reason: "Ctrl-C", timeout: 5_000 }));
