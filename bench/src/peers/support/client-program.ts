// The common part of all client programs of this folder: connects, does the work of its task, and prints one
// line of JSON. Each library provides a function that opens a connection with it.

/** The program's only argument, as JSON. Durations are in milliseconds. */
export interface ClientTask {
  readonly work: "echo" | "send" | "receive";
  readonly payload: "text" | "binary";
  readonly size: number;
  readonly connections: number;
  readonly depth: number;
  readonly port: number;
  readonly warmup: number;
  readonly duration: number;
}

/**
 * The program's output: messages and CPU time between the end of the warm-up and the end of the measurement.
 */
export interface ClientReport {
  readonly count: number;
  readonly seconds: number;
  readonly cpuMicroseconds: number;
}

export type Payload = string | Uint8Array<ArrayBuffer>;

/** An open connection of the library under test. */
export interface ClientConnection {
  send(data: Payload): void;
  /** Sends a message, and resolves when the library accepts more. */
  sendAndWait(data: Payload): Promise<unknown>;
}

/** Opens a connection, and calls `onMessage` for each message. */
export type OpenConnection = (
  url: string,
  onMessage: (connection: ClientConnection) => void,
) => Promise<ClientConnection>;

/** Bytes to send before waiting for the library. */
const BURST = 64 * 1024;

export async function runClient(open: OpenConnection): Promise<void> {
  const task = JSON.parse(process.argv[2] ?? "") as ClientTask; // written by the runner
  const message = messageFor(task);
  const meter = new Meter();
  const onMessage = (connection: ClientConnection): void => {
    meter.count++;
    if (task.work === "echo") connection.send(message);
  };
  const url = `ws://127.0.0.1:${task.port}`;
  const connections = await Promise.all(Array.from({ length: task.connections }, () => open(url, onMessage)));
  for (const connection of connections) {
    if (task.work === "send") void sendForEver(connection, message, meter);
    else for (let sent = 0; sent < firstMessages(task); sent++) connection.send(message);
  }
  setTimeout(() => meter.begin(), task.warmup);
  setTimeout(() => {
    process.stdout.write(`${JSON.stringify(meter.report())}\n`);
    setTimeout(() => process.exit(), 50); // once the line is out
  }, task.warmup + task.duration);
}

/** The flood begins with the first message; an echo keeps `depth` messages in flight. */
function firstMessages({ work, depth }: ClientTask): number {
  return work === "echo" ? depth : 1;
}

async function sendForEver(connection: ClientConnection, message: Payload, meter: Meter): Promise<void> {
  const burst = Math.max(1, Math.floor(BURST / message.length));
  for (;;) {
    for (let sent = 1; sent < burst; sent++) connection.send(message);
    await connection.sendAndWait(message);
    meter.count += burst;
    // Otherwise sockets that accept everything at once would starve the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function messageFor({ payload, size }: ClientTask): Payload {
  const text = "The quick brown fox jumps over the lazy dog. ".repeat(Math.ceil(size / 45)).slice(0, size);
  return payload === "text" ? text : new TextEncoder().encode(text);
}

class Meter {
  count = 0;
  #startedAt = 0;
  #used = process.cpuUsage();

  begin(): void {
    this.count = 0;
    this.#startedAt = performance.now();
    this.#used = process.cpuUsage();
  }

  report(): ClientReport {
    const { user, system } = process.cpuUsage(this.#used);
    const seconds = (performance.now() - this.#startedAt) / 1000;
    return { count: this.count, seconds, cpuMicroseconds: user + system };
  }
}
