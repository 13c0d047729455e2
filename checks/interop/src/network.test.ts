// A link that dies between two hosts: no FIN, no RST, no ICMP. Each end has to detect it.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { slowness } from "holdfast-testkit";
import { testCell } from "./matrix/test-cell.js";
import { Network, namespacesMissing } from "./network/namespaces.js";
import { scriptPath } from "./peers/pair.js";
import { PeerProcess } from "./peers/peer-process.js";
import { nodeProgram } from "./peers/runtimes.js";
import { verdictBound } from "./scenes/verdict-bound.js";

const KEEPALIVE = { pingInterval: 400, pingTimeout: 500 * slowness() };
const BOUND = KEEPALIVE.pingInterval + KEEPALIVE.pingTimeout;

const ROW = { row: "a network that drops everything", position: "between" } as const;
const OPTIONS = { skip: namespacesMissing(), timeout: 90_000 };
const VERDICT = "sent 1011 (internal error) keepalive ping timeout; no close frame received";

describe("two hosts", { concurrency: true }, () => {
  const died = "C5 C6: the link dies: both ends know within interval + timeout";
  testCell({ ...ROW, column: "verdict on both ends" }, died, OPTIONS, async (t) => {
    await withHosts(async ({ network, server, client }) => {
      const { id, path } = scriptPath({ do: "ping" });
      client.connect(server.url + path);
      await Promise.all([client.report("pong", id), server.report("pong", id)]);
      network.drop();
      const droppedAt = Date.now();
      for (const peer of [client, server]) {
        const { says, endedAt = 0, longestStall = 0 } = await peer.report("closed", id);
        const took = endedAt - droppedAt;
        t.diagnostic(`the ${peer.role}, after ${took} ms (bound ${BOUND}): ${says}`);
        assert.equal(says, VERDICT);
        assert.ok(
          took <= verdictBound(KEEPALIVE, longestStall),
          `The ${peer.role}'s verdict took ${took} ms`,
        );
      }
    });
  });

  const held = "C5: the link dies for less than the timeout: the connection survives";
  testCell({ ...ROW, column: "keepalive holds" }, held, OPTIONS, async () => {
    // Long enough for TCP's retransmissions, which follow after 200, 600 and 1,400 ms.
    await withHosts(
      async ({ network, server, client }) => {
        const { id, path } = scriptPath({ do: "ping" });
        client.connect(server.url + path);
        await Promise.all([client.report("pong", id), server.report("pong", id)]);
        network.drop();
        await new Promise((resolve) => setTimeout(resolve, 500));
        network.restore();
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        // Now for good. An end that had lost the connection earlier would have reported it instead.
        const diedAt = Date.now();
        network.drop();
        for (const peer of [client, server]) {
          const { says, endedAt = 0 } = await peer.report("closed", id);
          assert.equal(says, VERDICT);
          assert.ok(
            endedAt > diedAt,
            `The ${peer.role} gave the connection up ${diedAt - endedAt} ms before`,
          );
        }
      },
      { pingInterval: 400, pingTimeout: 8_000 },
    );
  });
});

interface Hosts {
  readonly network: Network;
  readonly server: PeerProcess;
  readonly client: PeerProcess;
}

/** Runs Holdfast on two hosts; both ends ping. */
async function withHosts(body: (hosts: Hosts) => Promise<void>, options: object = KEEPALIVE): Promise<void> {
  using network = new Network();
  const [near, far] = network.hosts;
  const program = nodeProgram("holdfast");
  await using server = await PeerProcess.start(
    { command: [...far.prefix, ...program], host: far.address },
    "server",
    { options, host: far.address },
  );
  await using client = await PeerProcess.start({ command: [...near.prefix, ...program] }, "client", {
    options,
  });
  await body({ network, server, client });
}
