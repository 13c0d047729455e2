import { HoldfastError } from "../../shared/errors.js";

/** The worker that a connection was to live in could not be started, or ended. */
export class WorkerError extends HoldfastError {
  static {
    this.prototype.name = "WorkerError";
  }

  constructor(message: string, cause?: unknown) {
    super(message, { code: "ERR_HOLDFAST_WORKER", ...(cause === undefined ? {} : { cause }) });
  }
}
