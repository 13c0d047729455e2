// The model of SESSIONS: every schedule of sends, cuts, acks, restarts and second sockets.
// HOLDFAST_SESSION_SCHEDULES=1000000 runs that many; HOLDFAST_SESSION_SEED chooses others.

import { test } from "node:test";
import fc from "fast-check";
import { Simulation } from "./simulated-session.js";

const numRuns = Number(process.env["HOLDFAST_SESSION_SCHEDULES"] ?? 3000);
const seed = Number(process.env["HOLDFAST_SESSION_SEED"] ?? 6455);

/** The effect of a step on its argument. Frequent ones appear more than once. */
const STEPS: readonly ((simulation: Simulation, argument: number) => void)[] = [
  (s, n) => s.clientSends("kept", n % 2 === 0),
  (s, n) => s.clientSends("kept", n % 2 === 0),
  (s, n) => s.serverSends("kept", n % 2 === 0),
  (s, n) => s.serverSends("kept", n % 2 === 0),
  (s, n) => s.clientSends("streamed", n % 2 === 0),
  (s, n) => s.serverSends("streamed", n % 2 === 0),
  (s, n) => s.deliverToServer(0, n % 8),
  (s, n) => s.deliverToServer(0, n % 8),
  (s, n) => s.deliverToClient(0, n % 8),
  (s, n) => s.deliverToClient(0, n % 8),
  (s, n) => s.deliverToServer(n % 4, 1 + (n % 3)),
  (s, n) => s.deliverToClient(n % 4, 1 + (n % 3)),
  (s, n) => s.clientPumps(n % 5),
  (s, n) => s.serverPumps(n % 5),
  (s, n) => s.clientPumps(n),
  (s, n) => s.serverPumps(n),
  (s, n) => s.clientAcks(MOMENTS[n % 3] ?? "due"),
  (s, n) => s.serverAcks(MOMENTS[n % 3] ?? "due"),
  (s, n) => s.serverHandles(n % 4),
  (s, n) => s.pass(n),
  (s) => s.connect(),
  (s) => s.connect(),
  (s, n) => s.cut(n % 2),
  (s) => s.clientNotices(),
  (s, n) => s.serverNotices(n % 2),
  (s, n) => {
    if (n % 4 === 0) s.serverRestarts();
  },
  (s, n) => {
    if (n % 16 === 0) s.pass(1000);
  },
  (s, n) => {
    if (n % 64 === 0) s.clientEnds();
  },
];

const MOMENTS = ["due", "late", "passing"] as const;

const anySchedule = fc.record({
  isHandled: fc.boolean(),
  messages: fc.integer({ min: 2, max: 24 }),
  steps: fc.uint16Array({ minLength: 20, maxLength: 140 }),
});

test("L1, L2, L3: each message arrives once and in order, and each unconfirmed one is reported once, in any schedule", () => {
  fc.assert(
    fc.property(anySchedule, ({ isHandled, messages, steps }) => {
      const window = { messages, bytes: 4096 };
      const simulation = new Simulation({ acknowledge: isHandled ? "handled" : "received", window });
      simulation.connect();
      simulation.deliverToServer(0, 1);
      simulation.deliverToClient(0, 1);
      for (const step of steps) STEPS[step % STEPS.length]?.(simulation, Math.floor(step / STEPS.length));
      simulation.settle();
    }),
    { numRuns, seed },
  );
});
