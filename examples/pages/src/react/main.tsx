import { StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { App } from "./app.js";

const root = document.querySelector("#root");
if (root === null) throw new Error("Expected an element with the id root");
hydrateRoot(
  root,
  <StrictMode>
    <App />
  </StrictMode>,
);
