// Work that may take a while says so, from its second second on.

import type { Console } from "./console.js";

const INTERVAL = 1000;

/** Shows `textAt(seconds)` below everything else while `work` goes on. */
export async function withProgress<Result>(
  console: Console,
  textAt: (seconds: number) => string,
  work: () => Promise<Result>,
): Promise<Result> {
  const began = performance.now();
  const show = (): void => {
    const text = textAt(Math.round((performance.now() - began) / 1000));
    console.showStatus(text.slice(0, console.width - 1));
  };
  const timer = setInterval(show, INTERVAL);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    console.showStatus(null);
  }
}

/** While a connection is being opened. */
export function connecting(url: string): (seconds: number) => string {
  return (seconds) => `connecting to ${url} … ${seconds} s (Ctrl-C: enough)`;
}
