// The ways in which an open connection can end, and the expected report of each.

import type { Harness, Setup, summary } from "../../harness.js";

export interface Ending {
  readonly name: string;
  readonly setup?: Setup;
  readonly act: (h: Harness) => Promise<void> | void;
  readonly expected: ReturnType<typeof summary>;
}

export type Frame = { readonly code: number; readonly reason: string } | null;

/** Derives the fields that follow from the frames, so that the table only lists the others. */
export function told(
  cause: Ending["expected"]["cause"],
  initiator: Ending["expected"]["initiator"],
  frames: { readonly sent?: Frame; readonly received?: Frame; readonly receivedFirst?: true },
  message: string,
  error: string | null = null,
): Ending["expected"] {
  const { sent = null, received = null, receivedFirst = false } = frames;
  const isGood = (frame: Frame) => frame !== null && [1000, 1001, 1005].includes(frame.code);
  const clean = sent !== null && received !== null;
  return {
    code: received?.code ?? 1006,
    reason: received?.reason ?? "",
    received,
    sent,
    receivedFirst,
    clean,
    ok: isGood(sent) && isGood(received),
    initiator,
    cause,
    message,
    error,
  };
}

export const frame = (code: number, reason = ""): Frame => ({ code, reason });
export const NO_FRAMES = "no close frame received or sent";

/** The peer answers our Close, and ends TCP. */
export function answer(h: Harness, code?: number, reason?: string): void {
  h.clock.turn();
  h.deliver(h.close(code, reason));
  h.transport.eof();
}
