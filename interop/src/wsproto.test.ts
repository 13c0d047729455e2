import { after, describe } from "node:test";
import * as common from "./common-tests.js";
import { PeerPool } from "./peer-pool.js";
import { isMissing } from "./python.js";

const pool = new PeerPool("wsproto_peer");
const peer: common.TestedPeer = { name: "wsproto", pool, skip: isMissing("wsproto", "python3-wsproto") };

describe("Python's wsproto", () => {
  after(() => pool[Symbol.asyncDispose]());

  for (const role of ["server", "client"] as const) {
    common.testMessages(peer, role);
    common.testFragments(peer, role);
    common.testPings(peer, role);
    common.testCloses(peer, role);
  }
});
