// Makes a step of the demo fail, for the test that the demo notices.

/**
 * The omitted part: the server's echo, the proxy's delay, the blocking of the event loop, the freezing of the
 * proxy, its thawing, or the server's sessions.
 */
export type Sabotage = "echo" | "delay" | "block" | "freeze" | "session" | "thaw";

export const SABOTAGES: readonly Sabotage[] = ["echo", "delay", "block", "freeze", "thaw", "session"];
