// The exit codes of the command. Scripts depend on them; docs/cli.md and `--help` show the same table.

import type { CloseInfo } from "../index.js";

export const EXIT = {
  /** Success. */
  ok: 0,
  /** The peer or the network failed; with `ping`: no ping was answered. */
  failed: 1,
  /** The command line is invalid. Like ping(8), `ping` also uses it if there is no connection. */
  usage: 2,
  /** Timeout. */
  timeout: 3,
  /** Ctrl-C: 128 plus the number of SIGINT, as in shells. */
  interrupted: 130,
} as const;

/** Whether a connection ended as its user or its peer wished. `/close` may send any code; the peer has answered it. */
export function hasEndedWell({ ok, cause, clean }: CloseInfo): boolean {
  return ok || (cause === "local-close" && clean);
}

export const EXIT_CODE_HELP = `Exit codes:
  0    success (ping: at least one ping was answered)
  1    the peer or the network failed (ping: no ping was answered)
  2    the command line is invalid (ping: or there is no connection)
  3    timeout
  130  Ctrl-C before the command had finished its work`;
