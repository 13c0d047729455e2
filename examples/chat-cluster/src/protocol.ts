// The messages that the page, the robots and the chat servers exchange.

/** The rooms: each is a topic with a history. */
export const ROOMS = ["lobby", "kitchen", "counters"] as const;

export type Room = (typeof ROOMS)[number];

/** A message of a room's topic, as JSON. */
export interface Post {
  /** Chosen by the sender. A message that is sent again with the same id is published once. */
  readonly id: string;
  readonly from: string;
  readonly text: string;
  /** A robot counts its messages in each room: 1, 2, 3 … */
  readonly number?: number;
}

/** A client's messages to its chat server, as JSON. */
export type Request =
  | { readonly type: "enter"; readonly room: Room }
  | { readonly type: "say"; readonly room: Room; readonly post: Post };

/** A chat server's messages to its clients, as JSON. Posts do not come this way, but by topic. */
export type Reply =
  | {
      readonly type: "welcome";
      readonly server: ServerIdentity;
      /** The id of this client among the people. */ readonly you: string;
    }
  | { readonly type: "people"; readonly room: Room; readonly people: readonly Person[] };

/** One run of a chat server. */
export interface ServerIdentity {
  readonly name: string;
  readonly pid: number;
}

/** A member of a room: the presence that its server has published. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly server: ServerIdentity;
}

/** A chat server's process, as the front sees it. */
export interface ServerStatus {
  readonly name: string;
  readonly state: "down" | "up";
  /** Null if it runs on another machine. */
  readonly pid: number | null;
  readonly kills: number;
}

export function isRoom(value: unknown): value is Room {
  return (ROOMS as readonly unknown[]).includes(value);
}
