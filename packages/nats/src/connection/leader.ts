// Reads from the leader of a stream. Any server that has the stream answers `direct.getMessage()`, also one that does not
// have the newest messages yet.

import type { DirectMsgRequest, JetStreamManager, MsgRequest, StoredMsg } from "@nats-io/jetstream";

/** Returns a message of a stream; null if there is none. */
export function readFromLeader(
  manager: JetStreamManager,
  stream: string,
  query: DirectMsgRequest,
): Promise<StoredMsg | null> {
  return manager.streams.getMessage(stream, query as MsgRequest); // The type lacks `next_by_subj`, which the server knows.
}
