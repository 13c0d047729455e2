// The structure of the interoperability table: each test of a peer belongs to one of its cells.

/** Which end of the connection the peer is; proxies and networks are in between. */
export type Position = "server" | "client" | "between";

export interface Table {
  readonly title: string;
  readonly about: string;
  /** The meaning of the rows. */
  readonly subject: string;
  readonly positions: readonly Position[];
  readonly rows: readonly string[];
  readonly columns: readonly string[];
}

export const TABLES = [
  {
    title: "Against other implementations",
    about: "Our client against their server, and our server against their client.",
    subject: "Peer",
    positions: ["server", "client"],
    rows: [
      "Python: websockets",
      "Python: trio-websocket",
      "Python: wsproto",
      "ws",
      "libwebsockets",
      "Chromium",
      "WebSocket of Node.js 22",
      "WebSocket of Node.js 24",
      "WebSocket of Bun",
      "WebSocket of Deno",
    ],
    columns: [
      "messages",
      "fragments",
      "our pings, latency",
      "their pings",
      "close codes",
      "compression",
      "subprotocol",
      "TLS",
      "hangs: our verdict",
      "their verdict",
    ],
  },
  {
    title: "On other runtimes",
    about: "The built package on each runtime, against Holdfast on the Node.js that runs the tests.",
    subject: "Peer",
    positions: ["server", "client"],
    rows: ["Node.js 22", "Node.js 24", "Bun", "Deno"],
    columns: [
      "messages",
      "fragments",
      "our pings, latency",
      "their pings",
      "close codes",
      "compression",
      "TLS",
      "hangs: our verdict",
      "their verdict",
      "full write buffer",
      "own stall",
      "slow consumer",
      "refusal",
      "abort",
    ],
  },
  {
    title: "Through proxies and networks",
    about: "Our client and our server, with something in between.",
    subject: "In between",
    positions: ["between"],
    rows: ["nginx", "HAProxy", "a network that drops everything"],
    columns: [
      "messages",
      "close codes",
      "compression",
      "idle cut explained",
      "keepalive holds",
      "backend away",
      "reload, stop",
      "verdict on both ends",
    ],
  },
  {
    title: "Beside web frameworks",
    about: "Our server attached to the HTTP server of theirs.",
    subject: "Framework",
    positions: ["server"],
    rows: ["Express", "Fastify", "Hono"],
    columns: ["messages", "other paths", "keep-alive", "shutdown"],
  },
  {
    title: "Libraries that were written for `ws`",
    about: "Servers of theirs on `@holdfast/ws`.",
    subject: "Library",
    positions: ["server"],
    rows: [
      "Socket.IO",
      "graphql-ws",
      "tRPC",
      "y-websocket",
      "@fastify/websocket",
      "crossws",
      "http-proxy",
      "webpack-dev-server",
      "Vite (HMR)",
    ],
    columns: ["messages", "endings"],
  },
  {
    title: "Under client libraries",
    about:
      "Libraries from npm that take a class `WebSocket`, with those of `holdfast/websocket`. Cuts: nothing is missed, and nothing subscribes twice.",
    subject: "Library",
    positions: ["client"],
    rows: ["graphql-ws", "tRPC", "partysocket", "y-websocket", "MQTT.js", "ethers", "SignalR", "Phoenix"],
    columns: ["WebSocket", "ResumableWebSocket", "cuts"],
  },
] as const satisfies readonly Table[];

export type Row = (typeof TABLES)[number]["rows"][number];
export type Column = (typeof TABLES)[number]["columns"][number];

export interface Cell {
  readonly row: Row;
  readonly position: Position;
  readonly column: Column;
}
