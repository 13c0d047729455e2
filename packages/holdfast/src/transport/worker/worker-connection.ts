// Makes the connection that a worker has opened, on the thread that asked for it.

import { createConnection, type Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { ConnectionEndObserver } from "../../connection/connection-core.js";
import type { HandshakeRecord } from "../../connection/handshake-record.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { Runtime } from "../../connection/runtime.js";
import type { Mailbox } from "./mailbox.js";
import { PortTransport } from "./port-transport.js";
import type { HandshakeCopy, Opened, WorkerCommand, WorkerEvent } from "./signals.js";
import { WorkerKeepalive, type KeepaliveEvent } from "./worker-keepalive.js";

export interface OpenedInWorker {
  readonly opened: Opened;
  readonly settings: ConnectionSettings;
  readonly mailbox: Mailbox<WorkerCommand, WorkerEvent>;
  /** Called within this call: the transport expects the events that follow `opened`. */
  readonly onTransport: (transport: PortTransport) => void;
  readonly onEnded: () => void;
}

export function createWorkerConnection(
  { opened, settings, mailbox, onTransport, onEnded }: OpenedInWorker,
  runtime: Runtime,
  owner: ConnectionEndObserver | null,
): Connection {
  let keepalive: WorkerKeepalive | null = null;
  const connection = createConnection({
    runtime,
    // The worker answers pings.
    settings: { ...settings, autoPong: false },
    handshake: recordOf(opened.handshake),
    owner,
    keepalive: (_, handler) => (keepalive = new WorkerKeepalive(runtime, handler, mailbox, settings)),
    transport: (handler) => {
      const { writeLimit, text } = settings;
      const onKeepaliveEvent = (event: KeepaliveEvent): void => keepalive?.onEvent(event);
      const transport = new PortTransport(
        { runtime, mailbox, opened, writeLimit, text, onKeepaliveEvent, onEnded },
        handler,
      );
      onTransport(transport);
      return transport;
    },
  });
  coreOf(connection).start();
  return connection;
}

function recordOf({ request, response, ...rest }: HandshakeCopy): HandshakeRecord {
  const headersOf = (entries: readonly (readonly [string, string])[]): Headers =>
    new Headers(entries.map(([name, value]): [string, string] => [name, value]));
  return {
    ...rest,
    get request() {
      return { ...request, headers: headersOf(request.headers) };
    },
    get response() {
      return { ...response, headers: headersOf(response.headers) };
    },
  };
}
