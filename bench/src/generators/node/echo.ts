import type { EchoLoad } from "../../workload.js";
import { fail, LoadConnection, type ConnectionHandler } from "./connection.js";
import { FrameRing } from "./frames.js";
import type { Report, Task } from "./task.js";
import { Window } from "./window.js";

/** Keeps `depth` messages in flight on every connection: each echo triggers the next message. */
export function runEcho(load: EchoLoad, task: Task, report: (report: Report) => void): void {
  const frames = new FrameRing(load);
  const flights = new Map<LoadConnection, Flight>();
  const handler: ConnectionHandler = {
    opened,
    received,
    ended: () => fail("the server closed a connection"),
  };
  let window: Window | null = null;
  for (let count = 0; count < load.connections; count++) new LoadConnection(task.port, handler);

  function opened(connection: LoadConnection): void {
    flights.set(connection, new Flight(load.depth));
    if (flights.size < load.connections) return;
    window = new Window(task, report);
    for (const [each, flight] of flights) send(each, flight, load.depth, performance.now());
  }

  function received(connection: LoadConnection, messages: number): void {
    const flight = flights.get(connection);
    if (flight === undefined || window === null) return fail("the server sent a message without being asked");
    const now = performance.now();
    for (let count = 0; count < messages; count++) window.add(flight.land(now));
    send(connection, flight, messages, now);
  }

  function send(connection: LoadConnection, flight: Flight, count: number, now: number): void {
    connection.write(frames.take(flight.sent, count));
    for (let launched = 0; launched < count; launched++) flight.launch(now);
  }
}

/** When the messages in flight on one connection were sent. */
class Flight {
  readonly #sentAt: Float64Array;
  sent = 0;
  #landed = 0;

  constructor(depth: number) {
    this.#sentAt = new Float64Array(depth);
  }

  launch(now: number): void {
    this.#sentAt[this.sent++ % this.#sentAt.length] = now;
  }

  /** The round trip of the oldest message in flight. */
  land(now: number): number {
    return now - (this.#sentAt[this.#landed++ % this.#sentAt.length] ?? now);
  }
}
