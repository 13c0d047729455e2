import { StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { App } from "./app.js";

/** The HTML of the first render. It opens no connection. */
export function render(): string {
  return renderToString(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
