/** Calls back in a later task of the event loop, after all microtasks of this one. */
export function inNextTask(callback: () => void): void {
  if (typeof setImmediate === "function") {
    setImmediate(callback);
    return;
  }
  // A page in the background delays timers, but no messages.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}
