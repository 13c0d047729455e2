import assert from "node:assert/strict";
import { WebSocketProvider } from "ethers";
import { serve } from "holdfast";
import type { Library } from "./library.js";

interface Call {
  readonly id: number;
  readonly method: string;
}

const RESULTS: Readonly<Record<string, unknown>> = {
  eth_chainId: "0x1",
  net_version: "1",
  eth_blockNumber: "0x2a",
  eth_subscribe: "0xcafe",
  eth_unsubscribe: true,
  eth_gasPrice: "0x10",
};

export const ethersJs: Library = {
  row: "ethers",
  packageName: "ethers",
  withoutSessions: null,
  note: "against a scripted JSON-RPC server",
  async run(Class) {
    const server = await serve(
      (connection) =>
        connection.forEach(async (message) => {
          const { id, method } = JSON.parse(String(message)) as Call;
          await connection.send(JSON.stringify({ jsonrpc: "2.0", id, result: RESULTS[method] ?? null }));
          if (method !== "eth_subscribe") return;
          const params = { subscription: "0xcafe", result: { number: "0x2b" } };
          await connection.send(JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params }));
        }),
      { host: "127.0.0.1", sessions: true },
    );
    const provider = new WebSocketProvider(() => new Class(server.url), 1, { staticNetwork: true });
    assert.equal(await provider.getBlockNumber(), 42);
    const block = new Promise<number>((resolve) => void provider.on("block", resolve));
    assert.equal(await block, 43);
    await provider.destroy();
    await server.close();
  },
};
