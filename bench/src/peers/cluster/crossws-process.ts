import nodeAdapter from "crossws/adapters/node";
import { redis } from "crossws/sync";
import { Redis } from "ioredis";
import { createServer } from "node:http";
import { announce } from "../support/program.js";
import { portOf } from "../support/port-of.js";
import { onCommand, redisPort, topicNames } from "./support.js";

const http = createServer();
const adapter = nodeAdapter({
  sync: redis({ client: new Redis(redisPort, "127.0.0.1") as never, channel: "bench" }),
  hooks: {
    open(peer) {
      for (const topic of topicNames) peer.subscribe(topic);
      peer.send("ready");
    },
    message(peer, message) {
      onCommand(message.text(), (topic, text) => adapter.publish(topic, text, { namespace: peer.namespace }));
    },
  },
});
http.on("upgrade", (request, socket, head) => void adapter.handleUpgrade(request, socket, head));
http.listen(0, "127.0.0.1", () => announce(portOf(http)));
