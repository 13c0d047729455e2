// The common part of the programs that run as several processes on one Redis. Each connection is subscribed to all
// topics; then it gets "ready". A client that sends "publish N" makes the process publish N messages at once.

/** From the variables that the bench sets. */
export const redisPort = Number(process.env["REDIS_PORT"]);
export const topicNames: readonly string[] = Array.from(
  { length: Number(process.env["TOPICS"] ?? 1) },
  (_, index) => `topic ${index}`,
);

const place = process.env["PLACE"] ?? "0";
const size = Number(process.env["SIZE"] ?? 100);
let published = 0;

/** A message begins with the place of its process, and the time in nanoseconds. */
export function onCommand(command: string, publish: (topic: string, text: string) => unknown): void {
  const count = Number(command.slice("publish ".length));
  const text = `${place}${process.hrtime.bigint()} `.padEnd(size, "x");
  for (let index = 0; index < count; index++) {
    publish(topicNames[published++ % topicNames.length] ?? "", text);
  }
}

/** A message that is not published fails the measurement. */
export function fail(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}
