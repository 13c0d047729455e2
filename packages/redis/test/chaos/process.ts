import { Redis } from "ioredis";
import { redisEngine } from "../../dist/index.js";
import { runProcess } from "../../../holdfast/test-dist/topics/engine-chaos/process.js";
import { quiet } from "../redis-server.js";

await runProcess((port) => redisEngine({ client: quiet(new Redis(port, "127.0.0.1")) }));
