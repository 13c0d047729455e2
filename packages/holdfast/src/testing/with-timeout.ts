// A limit for promises of the test tools. It is real time: an application may fake its timers.

import { clearTimeout, setTimeout } from "node:timers";

/** Milliseconds since the process began, which no fake clock replaces. */
export function realNow(): number {
  return process.uptime() * 1_000;
}

/** Settles as `promise` does; rejects, naming `what`, if that takes longer than `ms`. */
export async function withTimeout<T>(promise: PromiseLike<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Waited ${ms} ms for ${what}.`));
    }, ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
