import { beats, type Workload } from "../workload.js";

// Each message is published once and delivered three times, once by each process.
export const topicsThroughput: Workload = {
  id: "T1",
  title: "100 B text on 50 topics, 3 processes on one Redis, published 512 at once",
  label: "topics, published 512 at once",
  load: {
    ...{ kind: "cluster", work: "throughput", processes: 3, topics: 50, connections: 3 },
    ...{ batch: 512, size: 100 },
  },
  base: "socket.io-redis-streams",
  bars: [
    { kind: "rate", peer: "holdfast", atLeast: 100_000 },
    beats("socket.io-redis-streams", 1),
    beats("crossws-redis", 1),
  ],
};
