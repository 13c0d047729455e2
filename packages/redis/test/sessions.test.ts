import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { redisSessionStore } from "../dist/index.js";
import { aRecord, PROOF, testStore } from "../../holdfast/test-dist/session/store-contract.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { openClient, openClusterClient, type OpenedClient } from "./backends.js";
import { missing, RedisServer, startCluster } from "./redis-server.js";

for (const name of ["ioredis", "redis"] as const) {
  for (const place of ["Redis", "a cluster of Redis"] as const) {
    describe(`Sessions in ${place}, with ${name}`, { skip: missing }, () => {
      let servers: readonly RedisServer[] = [];
      let opened: OpenedClient;
      let stores = 0;
      before(async () => {
        const isCluster = place !== "Redis";
        servers = isCluster ? await startCluster() : [await RedisServer.start()];
        opened = await (isCluster ? openClusterClient : openClient)(name, servers[0].port);
      });
      after(async () => {
        opened.close();
        for (const server of servers) await server.close();
      });

      testStore(`in ${place}, with ${name}`, async (use) => {
        const options = { client: opened.client, prefix: `store ${++stores}:` };
        await using one = redisSessionStore(options);
        await using other = redisSessionStore(options);
        // On a busy machine it takes longer to connect than a call may take.
        for (const store of [one, other]) await eventually(() => store.claim("nobody", PROOF, 1), 30_000);
        await use(one, other);
      });

      test("L6: Redis forgets a session by itself a day after its deadline, which a connected one does not have", async () => {
        const prefix = `store ${++stores}:`;
        await using store = redisSessionStore({ client: opened.client, prefix });
        const { id } = aRecord();
        const lifetimes = async (): Promise<readonly number[]> => {
          const found = await Promise.all(
            servers.map(async ({ admin }) => {
              const keys = await admin.keys(`${prefix}*:${id}`);
              return Promise.all(keys.map((key) => admin.pttl(key)));
            }),
          );
          return found.flat();
        };
        const areDays = (times: readonly number[], days: number): boolean =>
          times.every((time) => Math.abs(time / 86_400_000 - days) < 0.1);
        await eventually(() => store.save(aRecord({ deadline: null })), 30_000);
        assert.deepEqual(await lifetimes(), [-1, -1]);
        const deadline = Date.now() + 86_400_000;
        await store.append(id, 1, [{ type: "deadline", deadline, attempt: 0 }]);
        assert.ok((await lifetimes()).length === 2 && areDays(await lifetimes(), 2));
        await store.append(id, 1, [{ type: "deadline", deadline: null, attempt: 0 }]);
        assert.deepEqual(await lifetimes(), [-1, -1]);
        await store.save(aRecord({ deadline }));
        assert.ok(areDays(await lifetimes(), 2));
        await store.remove(id, 1, null, Date.now());
        assert.ok((await lifetimes()).length === 1 && areDays(await lifetimes(), 1));
      });

      test("L7: many changes are kept as one record, and stay what they are", async () => {
        const options = { client: opened.client, prefix: `store ${++stores}:` };
        await using store = redisSessionStore(options);
        const { id, outgoing } = aRecord();
        await store.save(aRecord());
        for (let position = outgoing.sent + 1; position <= outgoing.sent + 600; position++) {
          await store.append(id, 1, [
            { type: "sent", position, message: `message ${position}` },
            { type: "confirmed", position: position - 3 },
          ]);
        }
        const sizes = await Promise.all(
          servers.map(async ({ admin }) => {
            const keys = await admin.keys(`store ${stores}:*:b:${id}`);
            return keys.length === 0 ? 0 : admin.llen(keys[0]);
          }),
        );
        assert.ok(Math.max(...sizes) <= 257, `${sizes.join()} blocks`);
        const claim = await store.claim(id, PROOF, 2000);
        assert.equal(claim.type, "claimed");
        assert.deepEqual(claim.record.outgoing.kept, ["message 607", "message 608", "message 609"]);
      });
    });
  }
}
