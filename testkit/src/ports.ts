// The library's ports, which the fakes implement. They are not public, hence the relative import.

export type {
  Address,
  Clock,
  Random,
  ByteStream,
  ByteStreamHandler,
} from "../../packages/holdfast/build/connection/ports.js";
