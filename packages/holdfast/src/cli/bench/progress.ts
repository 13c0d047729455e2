// The progress of a load test: a status line on a terminal, an object per second with `--json`.

import { milliseconds } from "../terminal/milliseconds.js";
import type { Console } from "../terminal/console.js";
import { jsonLine } from "../terminal/json.js";
import { sparkline } from "../terminal/sparkline.js";
import type { Plan } from "./plan.js";
import { figure } from "./summary.js";
import type { Tally } from "./tally.js";

const INTERVAL = 1000;
/** Seconds that the sparkline shows. */
const SHOWN = 30;

/** Shows progress until the returned function is called. */
export function beginProgress(console: Console, plan: Plan, tally: Tally, isJson: boolean): () => void {
  const began = performance.now();
  const rates: number[] = [];
  let [lastTime, lastEchoed] = [began, tally.echoed];
  const timer = setInterval(() => {
    const now = performance.now();
    const rate = ((tally.echoed - lastEchoed) / (now - lastTime)) * 1000;
    [lastTime, lastEchoed] = [now, tally.echoed];
    rates.push(rate);
    if (rates.length > SHOWN) rates.shift();
    const latency = tally.latencies.distribution;
    if (isJson) {
      const figures = {
        elapsed: Math.round(now - began),
        echoed: tally.echoed,
        messagesPerSecond: Math.round(rate),
      };
      console.print(jsonLine({ type: "progress", ...figures, p50: latency?.p50, p99: latency?.p99 }));
      return;
    }
    const times =
      latency === null ? "" : `  p50/p99 ${milliseconds(latency.p50)}/${milliseconds(latency.p99)} ms`;
    const elapsed = `${((now - began) / 1000).toFixed(0)} of ${plan.duration / 1000} s`;
    const text = `${elapsed}  ${figure(rate)} messages/s${times}  ${sparkline(rates, SHOWN)}`;
    console.showStatus(text.slice(0, console.width - 1));
  }, INTERVAL);
  return () => {
    clearInterval(timer);
    console.showStatus(null);
  };
}
