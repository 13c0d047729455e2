import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

// Starts all processes of the bench, so that all of them are ended, however the bench ends.

export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The core to run on; null lets the kernel choose. */
  readonly core: number | null;
  /** Whether the program is Node and gets a message channel; it exits when the channel closes. */
  readonly hasChannel: boolean;
}

const running = new Set<ChildProcess>();

export function start(command: Command): ChildProcess {
  const [program, parameters] = pinned(command);
  const child = spawn(program, parameters, {
    env: { ...process.env, ...command.environment },
    stdio: ["ignore", "pipe", "pipe", command.hasChannel ? "ipc" : "ignore"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  // A program that does not exist emits no exit event; the code that waits for its output sees the error.
  child.once("error", () => running.delete(child));
  return child;
}

/** Ends a child by its pid and waits until it has exited. */
export async function end(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Ends every child when the bench ends: normally, by an error or by a signal. */
export function endAllAtExit(): void {
  process.on("exit", () => {
    for (const child of running) child.kill("SIGKILL");
  });
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => process.exit(status));
  }
}

// taskset replaces itself with the program, so the child's pid is the program's.
function pinned(command: Command): [string, string[]] {
  if (command.core === null) return [command.program, [...command.arguments]];
  return ["taskset", ["-c", String(command.core), command.program, ...command.arguments]];
}
