// The elements of index.html that the program fills.

/** @throws if index.html has no such element, or it has another type */
export function element<Type extends Element>(id: string, type: abstract new () => Type): Type {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`Expected index.html to have a ${type.name} with the id ${id}`);
}

/** Sets a text only if it differs: screen readers read out every change. */
export function say(where: Element, text: string): void {
  if (where.textContent !== text) where.textContent = text;
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}
