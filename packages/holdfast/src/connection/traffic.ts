// What went over a connection: counted for the evidence of its end.

export class Traffic {
  bytesReceived = 0;
  bytesSent = 0;
  messagesReceived = 0;
  messagesSent = 0;
  /** Monotonic time at which bytes were read last; the opening counts as such. */
  lastReceivedAt: number;
  /** Monotonic time at which bytes were handed to the socket last; null for never. */
  lastSentAt: number | null = null;

  constructor(now: number) {
    this.lastReceivedAt = now;
  }
}
