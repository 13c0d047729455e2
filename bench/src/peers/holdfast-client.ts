import { connect } from "holdfast";
import { runClient, type ClientConnection } from "./support/client-program.js";

await runClient(async (url, onMessage) => {
  const connection = await connect(url);
  const client: ClientConnection = {
    send: (data) => void connection.send(data),
    sendAndWait: (data) => connection.send(data),
  };
  void connection.forEach(() => onMessage(client));
  return client;
});
