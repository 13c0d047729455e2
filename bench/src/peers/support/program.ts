// The common part of all server programs of this folder, apart from echoing.

/** Prints the port as the first line, and answers the bench from then on. */
export function announce(port: number): void {
  process.on("SIGUSR2", collect);
  process.on("message", (request) => {
    if (request === "collect") collect();
    if (request === "usage") process.send?.(usage());
  });
  // The bench has exited, perhaps killed: nothing else would end this process.
  process.on("disconnect", () => process.exit());
  process.stdout.write(`${port}\n`);
}

/** Whether each message is sent to every connection instead of back. */
export function isBroadcast(): boolean {
  return process.env["BROADCAST"] === "1";
}

/** Milliseconds between pings, from the variable PING_INTERVAL; null for the peer's default. */
export function pingInterval(): number | null {
  const milliseconds = process.env["PING_INTERVAL"];
  return milliseconds === undefined ? null : Number(milliseconds);
}

/** Whether dead peers are detected by the measured round trip. */
export function isAdaptive(): boolean {
  return process.env["DETECTION"] === "adaptive";
}

/** Whether text is forwarded as bytes, without decoding it. */
export function isRawText(): boolean {
  return process.env["RAW_TEXT"] === "1";
}

/** Whether the server has sessions. */
export function hasSessions(): boolean {
  return process.env["SESSIONS"] === "1";
}

export type DeflateSetting = "off" | "context" | "no-context";

/** The use of permessage-deflate, from the variable DEFLATE: 0, 1 or nct (no context takeover). */
export function deflateSetting(): DeflateSetting {
  switch (process.env["DEFLATE"]) {
    case "1":
      return "context";
    case "nct":
      return "no-context";
    default:
      return "off";
  }
}

function usage(): { cpuMicroseconds: number; residentBytes: number } {
  const { user, system } = process.cpuUsage();
  return { cpuMicroseconds: user + system, residentBytes: process.memoryUsage.rss() };
}

function collect(): void {
  globalThis.gc?.();
}
