import { testLeaving, testSleeper } from "../../holdfast/test-dist/topics/presence-tests.js";
import { natsEngine } from "../dist/index.js";
import { missing, NatsServer } from "./nats-server.js";

const program = new URL("presence-process.js", import.meta.url);

async function openBackend() {
  const server = await NatsServer.start();
  const connection = await server.connect();
  return {
    args: [String(server.port)],
    open: () => natsEngine({ connection }),
    close: async () => {
      await connection.close();
      await server.close();
    },
  };
}

testSleeper({ program, suffix: "", skip: missing }, openBackend);
testLeaving(missing, openBackend);
