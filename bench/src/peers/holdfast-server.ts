import { serve } from "holdfast";
import { holdfastOptions } from "./support/holdfast-options.js";
import { announce } from "./support/program.js";

const server = await serve(
  (connection) =>
    connection.forEach((message) => {
      void connection.send(message);
    }),
  holdfastOptions(),
);
announce(server.port);
