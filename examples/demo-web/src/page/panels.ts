// Fills the panels of index.html, one for each client, from its template.

import { element } from "./elements.js";

export function fillPanels(): void {
  const template = element("panel", HTMLTemplateElement);
  for (const panel of document.querySelectorAll<HTMLElement>("[data-panel]")) {
    const content = template.content.cloneNode(true) as DocumentFragment; // A clone has the type of its original.
    for (const part of content.querySelectorAll<HTMLElement>("[data-part]")) {
      part.id = `${panel.dataset["panel"] ?? ""}-${part.dataset["part"] ?? ""}`;
    }
    if (panel.dataset["reopens"] === undefined) content.querySelector("[data-part=reopen]")?.remove();
    // Screen readers read out the state of one client only: Holdfast's, which changes by itself.
    if (panel.dataset["live"] !== undefined)
      content.querySelector("[data-part=state]")?.setAttribute("role", "status");
    panel.append(content);
  }
}
