// A heap of deadlines: the earliest is at hand, and setting, moving or removing one of n takes log n steps.

/** Items of a heap. An item is in one heap at a time. */
export interface HeapItem {
  /** Used by the heap only: the place in the heap, -1 for none. */
  place: number;
}

/** Children per place: with four, the deadlines to compare lie side by side, and half as many items are moved. */
const WIDTH_BITS = 2;
const WIDTH = 1 << WIDTH_BITS;

export class DeadlineHeap<Item extends HeapItem> {
  /** Each item comes before its children. */
  readonly #items: Item[] = [];
  /** When the items at the same places are due: a separate list, because the items are spread over the memory. */
  readonly #deadlines: number[] = [];
  /**
   * Whether the first item was removed and its place is still free. Most items that are removed there are added again
   * at once, later: that moves one item down from there, instead of one down and another up.
   */
  #isFirstFree = false;

  get size(): number {
    return this.#items.length - (this.#isFirstFree ? 1 : 0);
  }

  /** The item that is due first; undefined if the heap is empty. */
  get first(): Item | undefined {
    this.#fillFirst();
    return this.#items[0];
  }

  /** When the first item is due; Infinity if the heap is empty. */
  get firstAt(): number {
    this.#fillFirst();
    return this.#items.length === 0 ? Infinity : this.#deadlines[0];
  }

  /** A copy of the list of items, in no order. */
  all(): readonly Item[] {
    this.#fillFirst();
    return [...this.#items];
  }

  /** Adds the item, or moves it. */
  set(item: Item, deadline: number): void {
    if (item.place < 0) {
      if (this.#isFirstFree) {
        this.#isFirstFree = false;
        this.#sink(item, deadline, 0);
        return;
      }
      this.#deadlines.push(deadline);
      this.#lift(item, deadline, this.#items.push(item) - 1);
      return;
    }
    const before = this.#deadlines[item.place];
    if (deadline < before) this.#lift(item, deadline, item.place);
    else if (deadline > before) this.#sink(item, deadline, item.place);
  }

  /** Removes the item if it is there. */
  remove(item: Item): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    if (place === 0 && this.#items.length > 1) {
      this.#isFirstFree = true;
      this.#deadlines[0] = -Infinity; // Nothing moves up to it.
      return;
    }
    this.#moveLastTo(place);
  }

  #fillFirst(): void {
    if (!this.#isFirstFree) return;
    this.#isFirstFree = false;
    this.#moveLastTo(0);
  }

  /** Fills a free place with the last item, which moves from there to where it belongs. */
  #moveLastTo(place: number): void {
    const last = this.#items.pop();
    const deadline = this.#deadlines.pop();
    if (last === undefined || deadline === undefined || place === this.#items.length) return;
    if (deadline < this.#deadlines[place]) this.#lift(last, deadline, place);
    else this.#sink(last, deadline, place);
  }

  /** Puts the item at `from`, or above it. */
  #lift(item: Item, deadline: number, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> WIDTH_BITS;
      if (this.#deadlines[above] <= deadline) break;
      this.#put(this.#items[above], this.#deadlines[above], place);
      place = above;
    }
    this.#put(item, deadline, place);
  }

  /** Puts the item at `from`, or below it. */
  #sink(item: Item, deadline: number, from: number): void {
    const deadlines = this.#deadlines;
    let place = from;
    for (;;) {
      const below = place * WIDTH + 1;
      const end = Math.min(below + WIDTH, deadlines.length);
      let first = below;
      for (let other = below + 1; other < end; other++) {
        if (deadlines[other] < deadlines[first]) first = other;
      }
      if (below >= end || deadlines[first] >= deadline) break;
      this.#put(this.#items[first], deadlines[first], place);
      place = first;
    }
    this.#put(item, deadline, place);
  }

  #put(item: Item, deadline: number, place: number): void {
    this.#items[place] = item;
    this.#deadlines[place] = deadline;
    item.place = place;
  }
}
