// What the command's exit code says. Scripts depend on it: docs/cli.md and `--help` show the same table.

export const EXIT = {
  /** What was asked for was done. */
  ok: 0,
  /** The peer or the network failed; with `ping`: no ping was answered. */
  failed: 1,
  /** The command line cannot be used; with `ping`, as with ping(8): or there is no connection. */
  usage: 2,
  /** Something did not come in time. */
  timeout: 3,
  /** Ctrl-C: 128 and the number of SIGINT, as shells have it. */
  interrupted: 130,
} as const;

export const EXIT_CODE_HELP = `Exit codes:
  0    done (ping: at least one ping was answered)
  1    the peer or the network failed (ping: no ping was answered)
  2    the command line cannot be used (ping: or there is no connection)
  3    something did not come in time
  130  Ctrl-C, where the command had not done its work`;
