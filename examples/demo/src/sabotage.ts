// Ways to make a step of the story not happen, for the test that proves that the demo notices.

/**
 * What is left undone: the server's echo, the proxy's delay, the blocking of the event loop, the proxy's freezing,
 * its thawing.
 */
export type Sabotage = "echo" | "delay" | "block" | "freeze" | "thaw";

export const SABOTAGES: readonly Sabotage[] = ["echo", "delay", "block", "freeze", "thaw"];
