// Counts, rather than times, the costs of messages and connections. It is a separate program, because it
// needs a young generation so large that nothing is collected, and a process without a test runner that
// tracks promises.

import { BATCH, countBytes, countPromises, deliverBatch, openLean } from "./lean-connection.js";

const ROUNDS = 200;
const messages = ROUNDS * BATCH;

export interface Costs {
  readonly promises: { readonly echoByForEach: number; readonly receivedByForAwait: number };
  readonly heapBytes: { readonly receive: number; readonly echo: number; readonly queue: number };
  readonly idleConnection: number;
}

const costs: Costs = {
  promises: {
    echoByForEach: (await promisesOfEcho()) / messages,
    receivedByForAwait: (await promisesOfForAwait()) / messages,
  },
  heapBytes: {
    receive: heapOfReceiving() / messages,
    echo: heapOfEcho() / messages,
    queue: heapOfSending() / messages,
  },
  idleConnection: memoryOfIdleConnection(),
};
process.stdout.write(JSON.stringify(costs));

async function promisesOfEcho(): Promise<number> {
  const { connection, transport } = openLean();
  void connection.forEach((message) => void connection.send(message));
  await turn();
  return countPromises(() => {
    for (let round = 0; round < ROUNDS; round++) deliverBatch(transport);
  });
}

async function promisesOfForAwait(): Promise<number> {
  const { connection, transport } = openLean();
  let seen = 0;
  void (async () => {
    for await (const _ of connection) seen++;
  })();
  await turn();
  return countPromises(async () => {
    for (let round = 1; round <= ROUNDS; round++) {
      deliverBatch(transport);
      await turn();
    }
    if (seen !== messages) throw new Error(`Expected ${messages} messages, got ${seen}`);
  });
}

function heapOfReceiving(): number {
  const { connection, transport } = openLean();
  void connection.forEach(() => undefined);
  return settled(() => deliverBatch(transport));
}

function heapOfEcho(): number {
  const { connection, transport } = openLean();
  void connection.forEach((message) => void connection.send(message));
  return settled(() => deliverBatch(transport));
}

/** Sent within one turn, which ends when `writeLimit` is reached. */
function heapOfSending(): number {
  const { connection } = openLean();
  const message = "text".repeat(16);
  return settled(() => {
    for (let sent = 0; sent < BATCH; sent++) void connection.send(message);
  });
}

/**
 * Bytes allocated by `ROUNDS` rounds, after the code has been compiled: the fewest of several counts, since Node
 * compiles once more whenever it likes.
 */
function settled(round: () => void): number {
  for (let warmUp = 0; warmUp < 500; warmUp++) round();
  const count = (): number =>
    countBytes(() => {
      for (let done = 0; done < ROUNDS; done++) round();
    });
  return Math.min(...Array.from({ length: 5 }, count));
}

/** Bytes on the heap that an open connection keeps, with a waiting callback and its first ping in flight. */
function memoryOfIdleConnection(): number {
  const count = 2_000;
  const open = (): object => {
    const { connection, transport } = openLean();
    void connection.forEach(() => undefined);
    return transport; // refers to all other objects, like a socket
  };
  const kept = Array.from({ length: 100 }, open);
  const before = heapInUse();
  for (let opened = 0; opened < count; opened++) kept.push(open());
  const after = heapInUse();
  if (kept.length === 0) throw new Error("Nothing was kept");
  return (after - before) / count;
}

function heapInUse(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
