import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

// Everything that the bench starts is started here, so that everything is ended, however the bench ends.

export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The core to stay on, or null to leave that to the kernel. */
  readonly core: number | null;
  /** Whether the program is Node and gets a channel for messages; it ends when the channel does. */
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
  // A program that does not exist has no exit event; whoever waits for its output sees the error.
  child.once("error", () => running.delete(child));
  return child;
}

/** Ends a child by its pid and waits until it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Ends every child when the bench ends, by itself, by an error or by a signal. */
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

// taskset replaces itself by the program, so that the child's pid is the program's.
function pinned(command: Command): [string, string[]] {
  if (command.core === null) return [command.program, [...command.arguments]];
  return ["taskset", ["-c", String(command.core), command.program, ...command.arguments]];
}
