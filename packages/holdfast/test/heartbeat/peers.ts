// Scripts of a simulated peer.

export interface SentPing {
  readonly payload: string;
  readonly sentAt: number;
}

/** Handles a ping that reaches the peer: `pongAfter` delivers a pong to our kernel after the given delay. */
export type Peer = (ping: SentPing, pongAfter: (delay: number, payload?: string) => void) => void;

export const mute: Peer = () => undefined;

export function answersAfter(latency: number): Peer {
  return (_ping, pongAfter) => pongAfter(latency);
}

/** Answers each ping after the next of these latencies (null for never), and later pings like `rest`. */
export function answersInTurn(latencies: readonly (number | null)[], rest: Peer): Peer {
  let count = 0;
  return (ping, pongAfter) => {
    const latency = count < latencies.length ? latencies[count] : undefined;
    count++;
    if (latency === undefined) rest(ping, pongAfter);
    else if (latency !== null) pongAfter(latency);
  };
}

export function muteFrom(time: number, peer: Peer): Peer {
  return (ping, pongAfter) => {
    if (ping.sentAt < time) peer(ping, pongAfter);
  };
}
