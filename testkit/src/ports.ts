// The library's ports, which the fakes implement. They are no part of its public surface: hence the relative import.

export type {
  Address,
  Clock,
  Random,
  ByteStream,
  ByteStreamHandler,
} from "../../packages/holdfast/build/connection/ports.js";
