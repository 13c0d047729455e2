// Holdfast, with a session.

import { connectPersistent, type PersistentConnection } from "holdfast/browser";

export function openHoldfast(url: string, onNumber: (number: number) => void): PersistentConnection {
  const link = connectPersistent(url, {
    session: true,
    // For the demo: sooner than by default.
    pingInterval: 1_000,
    pingTimeout: 2_000,
    openTimeout: 2_000,
    closeTimeout: 1_000,
    minDelay: 500,
    firstDelay: 500,
    maxDelay: 1_000,
  });
  void link.forEach((message) => onNumber(Number(message)));
  return link;
}
