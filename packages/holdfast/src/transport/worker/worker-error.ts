// The error of `connectInWorker()` if its worker fails.

import { HoldfastError } from "../../shared/errors.js";

/** The worker of a connection could not be started, or has ended. */
export class WorkerError extends HoldfastError {
  static {
    this.prototype.name = "WorkerError";
  }

  constructor(message: string, cause?: unknown) {
    super(message, { code: "ERR_HOLDFAST_WORKER", ...(cause === undefined ? {} : { cause }) });
  }
}
