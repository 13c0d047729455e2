// A viewer of the inspector: opens the stream and asks.

import { connect, type Connection, type ConnectOptions, type Server } from "../../../build/index.js";
import type {
  InspectAnswer,
  InspectRequest,
  Query,
  SnapshotAnswer,
} from "../../../build/server/inspect/wire.js";
import { FIRST_QUERY } from "../../../inspect-page/dist/first-query.js";

type Unnumbered<Each> = Each extends InspectRequest ? Omit<Each, "id"> : never;

export class Viewer implements AsyncDisposable {
  readonly connection: Connection;
  #ids = 0;

  static async open(server: Server, options: ConnectOptions = {}, path = "/holdfast"): Promise<Viewer> {
    const { origin } = new URL(server.url.replace(/^ws/, "http"));
    return new Viewer(await connect(`${origin.replace(/^http/, "ws")}${path}/stream`, options));
  }

  private constructor(connection: Connection) {
    this.connection = connection;
  }

  async ask(request: Unnumbered<InspectRequest>): Promise<InspectAnswer> {
    await this.connection.send(JSON.stringify({ ...request, id: ++this.#ids }));
    return JSON.parse(String(await this.connection.recv({ timeout: 30_000 }))) as InspectAnswer;
  }

  async look(query: Partial<Query> = {}, process: string | null = null): Promise<SnapshotAnswer> {
    const answer = await this.ask({ type: "look", process, query: { ...FIRST_QUERY, ...query } });
    if (answer.type !== "snapshot") throw new Error(`Expected a snapshot, got ${JSON.stringify(answer)}`);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}
