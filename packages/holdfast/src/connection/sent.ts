// The promise of every send that need not wait, whatever carries the message. Callers compare with it: a reader whose
// callback returns this one goes on in the same call, where awaiting it would cost a turn of the microtask queue.

export const SENT: Promise<void> = Promise.resolve();
