// A progress line for work that takes longer than a second.

import type { Console } from "./console.js";

const INTERVAL = 1000;

/** Shows `textAt(seconds)` as the status line while `work` runs. */
export async function withProgress<Result>(
  console: Console,
  textAt: (seconds: number) => string,
  work: () => Promise<Result>,
): Promise<Result> {
  const end = showProgress(console, textAt);
  try {
    return await work();
  } finally {
    end();
  }
}

/** Shows `textAt(seconds)` until the returned function is called. Further calls have no effect. */
export function showProgress(console: Console, textAt: (seconds: number) => string): () => void {
  const began = performance.now();
  const show = (): void => {
    const text = textAt(Math.round((performance.now() - began) / 1000));
    console.showStatus(text.slice(0, console.width - 1));
  };
  let timer: NodeJS.Timeout | null = setInterval(show, INTERVAL);
  return () => {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    console.showStatus(null);
  };
}

/** The text while a connection is being opened. */
export function connecting(url: string): (seconds: number) => string {
  return (seconds) => `connecting to ${url} … ${seconds} s (Ctrl-C: enough)`;
}
