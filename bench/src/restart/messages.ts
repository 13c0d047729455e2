// What the processes of a restart tell each other.

import type { ChildProcess } from "node:child_process";

/** To a server. */
export interface CloseRequest {
  readonly type: "close";
  readonly code: number;
  /** Milliseconds. */
  readonly spread: number;
}

/** To a process of clients: no more messages, and then goodbye. */
export interface StopRequest {
  readonly type: "stop";
}

/** Of a server that takes connections. */
export interface Listening {
  readonly type: "listening";
}

/** Of a server that has ended. */
export interface ServerReport {
  readonly type: "server-report";
  /** Messages that it broadcast, counted by receivers. */
  readonly sent: number;
  /** Messages that reached its handlers. */
  readonly received: number;
}

/** Of a process of clients, all of which have been connected so many times. */
export interface Ready {
  readonly type: "ready";
  readonly times: number;
}

/** Of a process of clients that has ended. Times are milliseconds since 1970. */
export interface ClientsReport {
  readonly type: "clients-report";
  /** Messages whose `send()` resolved. */
  readonly sent: number;
  /** Messages whose `send()` rejected, so that the application knows. */
  readonly rejected: number;
  readonly received: number;
  /** When attempts to connect began. */
  readonly attempts: readonly number[];
  /** When each client was connected for the second time. */
  readonly returns: readonly number[];
  /** For how many milliseconds each client was not connected, in between. */
  readonly absences: readonly number[];
}

export type Report = ClientsReport | Listening | Ready | ServerReport;

/** Resolves with the next message for which `isWanted`. Rejects where the process ends before that. */
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
