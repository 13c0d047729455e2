import { runBroadcast } from "./broadcast.js";
import { runEcho } from "./echo.js";
import { runHandshakes } from "./handshakes.js";
import { runIdle } from "./idle.js";
import { runKeepalive } from "./keepalive.js";
import type { Report, Task } from "./task.js";

// The load generator for machines without a C compiler: raw sockets and prebuilt frames, no library.

const task = JSON.parse(process.argv[2] ?? "") as Task; // written by ../node.ts
process.on("disconnect", () => process.exit());

switch (task.load.kind) {
  case "echo":
    runEcho(task.load, task, report);
    break;
  case "idle":
    runIdle(task.load, task, report);
    break;
  case "handshake":
    runHandshakes(task.load, task, report);
    break;
  case "broadcast":
    runBroadcast(task.load, task, report);
    break;
  case "keepalive":
    runKeepalive(task.load, task, report);
    break;
}

function report(message: Report): void {
  process.send?.(message);
}
