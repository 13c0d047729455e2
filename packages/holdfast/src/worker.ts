// The script of a worker thread for the connections of `connectInWorker()`. A worker of your own imports it.

import { serveInWorker } from "./client/serve-in-worker.js";

serveInWorker();
