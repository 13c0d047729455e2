import { setTimeout as sleep } from "node:timers/promises";

/** Calls the function again until it does not throw. */
export async function eventually<Result>(
  act: () => Promise<Result> | Result,
  milliseconds = 30_000,
): Promise<Result> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await sleep(20);
    }
  }
}
