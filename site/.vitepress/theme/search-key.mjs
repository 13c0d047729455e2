// The theme opens the search for Ctrl+k, but not for Ctrl+K: with Caps Lock on, nothing happens. This passes the key on
// in lower case.

export function openSearchWithCapsLock() {
  if (globalThis.document === undefined) return; // The pages are rendered once without a browser.
  globalThis.addEventListener("keydown", (event) => {
    if (event.key !== "K" || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    globalThis.dispatchEvent(new globalThis.KeyboardEvent("keydown", { key: "k", ctrlKey: true }));
  });
}
