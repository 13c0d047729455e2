// The command line cannot be used as it is.

export class UsageError extends Error {
  static {
    this.prototype.name = "UsageError";
  }
}
