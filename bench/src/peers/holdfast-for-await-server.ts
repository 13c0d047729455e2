import { serve } from "holdfast";
import { holdfastOptions } from "./support/holdfast-options.js";
import { announce } from "./support/program.js";

// The send is not awaited, as in holdfast-server.ts: the difference between the two is the cost of the loop.
const server = await serve(async (connection) => {
  for await (const message of connection) void connection.send(message);
}, holdfastOptions());
announce(server.port);
