// The messages between the processes of a restart.

import type { ChildProcess } from "node:child_process";

/** To a server. */
export interface CloseRequest {
  readonly type: "close";
  readonly code: number;
  /** Milliseconds. */
  readonly spread: number;
}

/** To a client process: send no more messages, and exit. */
export interface StopRequest {
  readonly type: "stop";
}

/** From a server that accepts connections. */
export interface Listening {
  readonly type: "listening";
}

/** From a server that has ended. */
export interface ServerReport {
  readonly type: "server-report";
  /** Messages that it broadcast, counted per receiver. */
  readonly sent: number;
  /** Messages that reached its handlers. */
  readonly received: number;
}

/** From a client process: all of its clients have been connected this many times. */
export interface Ready {
  readonly type: "ready";
  readonly times: number;
}

/** From a client process that has ended. Times are milliseconds since 1970. */
export interface ClientsReport {
  readonly type: "clients-report";
  /** Messages whose `send()` resolved. */
  readonly sent: number;
  /** Messages whose `send()` rejected, so that the application knows about the loss. */
  readonly rejected: number;
  readonly received: number;
  /** When attempts to connect began. */
  readonly attempts: readonly number[];
  /** When each client was connected for the second time. */
  readonly returns: readonly number[];
  /** Milliseconds without a connection in between, for each client. */
  readonly absences: readonly number[];
}

export type Report = ClientsReport | Listening | Ready | ServerReport;

/**
 * Resolves with the next message for which `isWanted` returns true. Rejects if the process ends before that.
 */
export function nextReport<Wanted extends Report>(
  child: ChildProcess,
  isWanted: (report: Report) => report is Wanted,
  signal: AbortSignal,
): Promise<Wanted> {
  return new Promise((resolve, reject) => {
    const onMessage = (report: Report): void => {
      if (isWanted(report)) settle(() => resolve(report));
    };
    const onExit = (status: number | null): void =>
      settle(() => reject(new Error(`A process of the restart ended too early, with status ${status}`)));
    const onAbort = (): void => settle(() => reject(new Error("The restart took too long")));
    const settle = (conclude: () => void): void => {
      child.off("message", onMessage);
      child.off("exit", onExit);
      signal.removeEventListener("abort", onAbort);
      conclude();
    };
    child.on("message", onMessage);
    child.on("exit", onExit);
    signal.addEventListener("abort", onAbort);
  });
}
