// The global WebSocket of browsers and runtimes (https://websockets.spec.whatwg.org) as a peer.

import type { Report } from "../peers/peer.js";
import type { NamedScript } from "./script-of.js";

/**
 * Connects, plays the script and reports. The source text of this function is sent to a browser's page, so it
 * must not refer to its module.
 */
export function playOnStandardWebSocket(
  url: string,
  script: NamedScript,
  report: (seen: Report) => void,
): Promise<void> {
  const { id } = script;
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => socket.send(data));
  return new Promise((resolve, reject) => {
    socket.addEventListener("error", () => reject(new Error(`error event in state ${socket.readyState}`)));
    socket.addEventListener("open", () => {
      if (script.do === "close") socket.close(script.code, script.reason);
    });
    socket.addEventListener("close", ({ code, reason, wasClean }) => {
      const says = `${code} ${reason} ${wasClean ? "clean" : "not clean"}`;
      report({ event: "closed", id, says, received: { code, reason } });
      resolve();
    });
  });
}
