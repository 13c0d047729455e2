// The promise of every send that need not wait, for all transports. Readers compare with it: if a callback returns this
// promise, the reader continues in the same call, since awaiting it would cost a turn of the microtask queue.

export const SENT: Promise<void> = Promise.resolve();
