// Decides which small chunks of a bundle to join: a program that loads the library looks up each file, and a package with
// a hundred files is hard to read.

/** Bytes. A waste is what a loader of the joined chunk may load in vain. */
const LIMITS = {
  /** Larger chunks stay as they are. */
  small: 80_000,
  waste: 100_000,
  /** The waste of a dynamic import's code, which few programs need. */
  wasteOfDynamic: 14_000,
  /** The waste of what a page loads before its first WebSocket opens: none. */
  wasteOfStart: 0,
  /** The waste of `import("holdfast")`. It excludes `holdfast/websocket`, whose base classes take megabytes in Node.js. */
  wasteOfMain: 10_000,
  /** The largest chunk of small ones that only dynamic imports load. */
  dynamic: 30_000,
};
/** The entries that a page loads before its first WebSocket opens are named so. */
const PAGE_START = "page-";
const MAIN = "index.js";
/** By default, Vite makes one file of a worker's script, and refuses dynamic imports. */
const PAGE_WORKER = "browser-worker.js";

/**
 * The name of the chunk for each module that is in no entry, for rollup's option `manualChunks`.
 *
 * A small chunk joins one that is loaded whenever it is, and by few others, so that no program loads much more. After
 * that, small chunks that only dynamic imports load join each other.
 *
 * @param output the chunks that rollup makes by itself, each with the modules that the same entries need
 * @param limits those that differ from `LIMITS`
 */
export function planChunks(output, limits = {}) {
  const plan = new Plan(output, { ...LIMITS, ...limits });
  // Chunks that were joined may suit one that found no target before.
  while (plan.joinSmall());
  for (const chunk of plan.smallDynamic()) {
    const target = plan.smallDynamic().find((other) => other !== chunk && plan.areAlike(other, chunk));
    if (target !== undefined) plan.join(chunk, target);
  }
  return plan.names();
}

class Plan {
  #chunks;
  #limits;

  constructor(output, limits) {
    this.#limits = limits;
    this.#chunks = output.map(
      ({ fileName, code, imports, dynamicImports, modules, isEntry, isDynamicEntry }) => ({
        ...{ fileName, imports, dynamicImports, isEntry },
        isFixed: isEntry || isDynamicEntry,
        size: code.length,
        parts: [fileName],
        modules: Object.keys(modules),
      }),
    );
  }

  /** Joins small chunks to others, the smallest first; false if there were none. */
  joinSmall() {
    const before = this.#chunks.length;
    const small = this.#chunks
      .filter(({ isEntry, size }) => !isEntry && size <= this.#limits.small)
      .sort((a, b) => a.size - b.size);
    for (const chunk of small) {
      const target = this.#bestTarget(chunk);
      if (target !== null) this.join(chunk, target);
    }
    return this.#chunks.length < before;
  }

  /** The one that all that load this chunk load anyway, and the others with the least waste; null if there is none. */
  #bestTarget(chunk) {
    const loaders = this.#loadersOf(chunk);
    let best = null;
    for (const other of this.#chunks) {
      if (other === chunk || other.isEntry || this.makesCircle(chunk, other)) continue;
      // Bundlers drop nothing of what a page imports dynamically.
      if (other.isFixed && loaders.some(isPageWorker)) continue;
      const others = this.#loadersOf(other);
      if (!loaders.every((each) => this.#loadedWith(each).has(other))) continue;
      const added = others.map((each) => this.#addedTo(each, chunk));
      const waste = added.reduce((sum, each) => sum + each, 0);
      const isLittle = others.every((each, index) => added[index] <= this.#mostWaste(each, chunk));
      if (isLittle && (best === null || waste < best.waste)) best = { other, waste };
    }
    return best?.other ?? null;
  }

  /** Small chunks that no entry loads before somebody needs them; also the targets of dynamic imports. */
  smallDynamic() {
    return this.#chunks
      .filter(({ size }) => size <= this.#limits.dynamic)
      .filter((chunk) => this.#loadersOf(chunk).every(({ isEntry }) => !isEntry))
      .sort((a, b) => a.size - b.size);
  }

  /** Whether they load the same modules of others, and can be joined. */
  areAlike(a, b) {
    const [ofA, ofB] = [a, b].map((chunk) => [...this.#foreignImports(this.#closure(chunk))].sort().join());
    return ofA === ofB && a.size + b.size <= this.#limits.dynamic && !this.makesCircle(a, b);
  }

  /** Whether joining them would make a chunk that imports itself by way of a third one. */
  makesCircle(a, b) {
    const leads = (from, to) =>
      this.#importsOf(from).some((next) => next !== to && this.#closure(next).has(to));
    return leads(a, b) || leads(b, a);
  }

  join(chunk, target) {
    this.#chunks = this.#chunks.filter((each) => each !== chunk);
    target.parts.push(...chunk.parts);
    // They may have imported each other.
    const imports = new Set([...target.imports, ...chunk.imports]);
    target.imports = [...imports].filter((name) => !target.parts.includes(name));
    target.dynamicImports = [...new Set([...target.dynamicImports, ...chunk.dynamicImports])];
    target.modules.push(...chunk.modules);
    target.size += chunk.size;
    target.isFixed ||= chunk.isFixed;
  }

  names() {
    const own = this.#chunks.filter(({ isEntry }) => !isEntry);
    return new Map(own.flatMap(({ modules, fileName }) => modules.map((id) => [id, fileName])));
  }

  /** The entries that load it, by imports of any depth. */
  #loadersOf(chunk) {
    return this.#chunks.filter((each) => each.isFixed && this.#closure(each).has(chunk));
  }

  /**
   * The bytes that a loader would load in addition; Infinity if it would load other people's modules, or the worker of a
   * page would load dynamic imports.
   */
  #addedTo(loader, chunk) {
    const loaded = this.#loadedWith(loader);
    const added = [...this.#closure(chunk)].filter((each) => !loaded.has(each));
    const isDynamic = added.some(({ dynamicImports }) => dynamicImports.length > 0);
    if (isPageWorker(loader) && isDynamic) return Infinity;
    const foreign = this.#foreignImports(loaded);
    if ([...this.#foreignImports(added)].some((name) => !foreign.has(name))) return Infinity;
    return added.reduce((sum, { size }) => sum + size, 0);
  }

  /** The chunks that are loaded once a loader is, those before it included: the ones that import it dynamically. */
  #loadedWith(loader) {
    const loaded = this.#closure(loader);
    if (loader.isEntry) return loaded;
    const [first = new Set(), ...others] = this.#chunks
      .filter(({ dynamicImports }) => loader.parts.some((part) => dynamicImports.includes(part)))
      .map((importer) => this.#closure(importer));
    for (const each of first) if (others.every((other) => other.has(each))) loaded.add(each);
    return loaded;
  }

  /** The bytes that a loader may load in vain, if a chunk is joined. */
  #mostWaste(loader, chunk) {
    if (loader.fileName.startsWith(PAGE_START)) return this.#limits.wasteOfStart;
    if (loader.fileName === MAIN) return this.#limits.wasteOfMain;
    return chunk.isFixed ? this.#limits.wasteOfDynamic : this.#limits.waste;
  }

  #closure(chunk, seen = new Set()) {
    if (seen.has(chunk)) return seen;
    seen.add(chunk);
    for (const next of this.#importsOf(chunk)) this.#closure(next, seen);
    return seen;
  }

  #importsOf({ imports }) {
    return this.#chunks.filter(({ parts }) => parts.some((part) => imports.includes(part)));
  }

  /** Node's modules are all alike: a program either runs on Node.js or in a page. The entry of topics loads the main one. */
  #foreignImports(chunks) {
    const own = new Set(this.#chunks.flatMap(({ parts }) => parts));
    const names = [...chunks].flatMap(({ imports }) => imports).filter((name) => !own.has(name));
    return new Set(
      names.map((name) => (name.startsWith("node:") ? "node:" : name.replace(/\btopics\.js$/, MAIN))),
    );
  }
}

function isPageWorker({ fileName }) {
  return fileName === PAGE_WORKER;
}
