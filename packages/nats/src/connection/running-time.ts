// A clock that stands still while this process does: its event loop is blocked, or the machine sleeps. Answers that arrived
// meanwhile are still unread then, so that such a pause is no silence of the server.

import { AsyncResource } from "node:async_hooks";

/** Milliseconds after which the clock looks whether the process has run. */
const STEP = 250;
/** Milliseconds by which timers are late on a busy machine. */
const USUAL_DELAY = 50;
/** Milliseconds for which the clock looks after it was read. */
const INTEREST = 2_500;

/** The timer must not retain the async context of the call that sets it. */
const root = new AsyncResource("holdfast");

let stoodStill = 0;
let readAt = 0;
/** When the timer is due, in `performance.now()`; Infinity for none. */
let due = Infinity;
let timer: NodeJS.Timeout | undefined;

/** Milliseconds for which this process has run, since an unknown time. */
export function runningTime(): number {
  readAt = performance.now();
  if (due === Infinity) look(readAt);
  else if (readAt - due > USUAL_DELAY) onTimer(); // It is late, or was lost with a fake clock.
  return readAt - stoodStill;
}

function look(now: number): void {
  clearTimeout(timer);
  due = now + STEP;
  timer = root.runInAsyncScope(setTimeout<[]>, undefined, onTimer, STEP).unref();
}

function onTimer(): void {
  const now = performance.now();
  if (now - due > USUAL_DELAY) stoodStill += now - due;
  due = Infinity;
  if (now - readAt < INTEREST) look(now);
}
