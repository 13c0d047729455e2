// The worker's side of opening: opens the requested connection and reports the result.

import { ignore } from "../../shared/deferred.js";
import type { Connection } from "../../connection/connection.js";
import type { Clock } from "../../connection/ports.js";
import type { OpenObserver } from "../../connection/open-observer.js";
import { copyError } from "./error-copy.js";
import { Mailbox } from "./mailbox.js";
import { Relay } from "./relay.js";
import {
  ASSIGNMENT,
  type Assignment,
  type HandshakeCopy,
  type WorkerEvent,
  type WorkerCommand,
} from "./signals.js";

/** Opens a connection as `connect()` does. */
export type Open = (url: string, options: object, observer: OpenObserver) => Promise<Connection>;

/** Handles a message sent to the worker; ignores messages that are not assignments. */
export function takeAssignment(data: unknown, port: MessagePort | undefined, clock: Clock, open: Open): void {
  const assignment = data as Partial<Assignment> | null;
  if (assignment?.type !== ASSIGNMENT || port === undefined) return;
  void serve(assignment as Assignment, port, clock, open);
}

async function serve(assignment: Assignment, port: MessagePort, clock: Clock, open: Open): Promise<void> {
  const { url, options, deadline } = assignment;
  const aborter = new AbortController();
  let relay: Relay | null = null;
  const onCommands = (commands: readonly WorkerCommand[]): void => {
    for (const command of commands) {
      if (command.type === "abort") aborter.abort();
      relay?.onCommand(command);
    }
  };
  const onGone = (): void => {
    aborter.abort();
    relay?.onCommand({ type: "terminate" });
  };
  const mailbox = new Mailbox<WorkerEvent, WorkerCommand>(port, clock, onCommands, onGone);
  const openTimeout = deadline === null ? null : Math.max(1, deadline - clock.wallNow());
  const observer: OpenObserver = {
    onConnected: ignore,
    onSpread: ignore,
    onOpen: (connection) => {
      const { remoteAddress, localAddress } = connection;
      mailbox.post({
        type: "opened",
        opened: { handshake: copyHandshake(connection), remoteAddress, localAddress },
      });
      mailbox.flush(); // Alone, because each later batch begins with the counters.
      relay = new Relay(connection, mailbox);
    },
  };
  try {
    await open(url, { ...options, openTimeout, signal: aborter.signal }, observer);
  } catch (error) {
    mailbox.post({ type: "failed", error: copyError(error) });
    mailbox.flush();
  }
}

function copyHandshake({ url, request, response, subprotocol, extensions }: Connection): HandshakeCopy {
  return {
    url,
    subprotocol,
    extensions,
    request: { method: request.method, target: request.target, headers: [...request.headers] },
    response: { status: response.status, headers: [...response.headers] },
  };
}
