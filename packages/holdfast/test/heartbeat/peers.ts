// Scripts of the peer at the other end of a simulated wire.

export interface SentPing {
  readonly payload: string;
  readonly sentAt: number;
}

/** What the peer does with a ping that reaches it: `pongAfter` puts a pong into our kernel so much later. */
export type Peer = (ping: SentPing, pongAfter: (delay: number, payload?: string) => void) => void;

export const mute: Peer = () => undefined;

export function answersAfter(latency: number): Peer {
  return (_ping, pongAfter) => pongAfter(latency);
}

/** Answers each ping after the next of these latencies, null for never, and behind them like `rest`. */
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
