// The rooms: one is shown, the others count what is unread.

import type { Post, Room } from "../protocol.js";
import { ROOMS } from "../protocol.js";
import { element, make, say } from "./elements.js";

/** Posts of a room that the page keeps. */
const MAX_POSTS = 200;

interface RoomState {
  readonly button: HTMLButtonElement;
  readonly unread: HTMLElement;
  readonly posts: Post[];
  unreadCount: number;
}

export class Rooms {
  #shown: Room = "lobby";
  readonly #list = element("posts", HTMLOListElement);
  readonly #states = new Map<Room, RoomState>();
  readonly #name: string;
  readonly #onEnter: (room: Room) => void;

  constructor(name: string, onEnter: (room: Room) => void) {
    this.#name = name;
    this.#onEnter = onEnter;
    for (const room of ROOMS) {
      const unread = make("span", "unread");
      const button = make("button", "", `#${room}`, unread);
      button.type = "button";
      button.ariaPressed = String(room === this.#shown);
      button.addEventListener("click", () => this.#show(room));
      element("rooms", HTMLElement).append(button);
      this.#states.set(room, { button, unread, posts: [], unreadCount: 0 });
    }
  }

  get shown(): Room {
    return this.#shown;
  }

  add(room: Room, post: Post): void {
    const state = this.#states.get(room);
    if (state === undefined) return;
    state.posts.push(post);
    if (state.posts.length > MAX_POSTS) state.posts.shift();
    if (room === this.#shown) this.#append(post);
    else {
      state.unreadCount++;
      say(state.unread, state.unreadCount > 99 ? "99+" : String(state.unreadCount));
    }
  }

  #show(room: Room): void {
    this.#shown = room;
    this.#list.replaceChildren();
    for (const [each, state] of this.#states) {
      state.button.ariaPressed = String(each === room);
      if (each !== room) continue;
      state.unreadCount = 0;
      say(state.unread, "");
      for (const post of state.posts) this.#append(post);
    }
    this.#onEnter(room);
  }

  #append(post: Post): void {
    const scroller = this.#list.parentElement ?? this.#list;
    const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
    const avatar = make("span", "avatar", post.from.slice(0, 1).toUpperCase());
    avatar.ariaHidden = "true";
    avatar.style.setProperty("--hue", String(hueOf(post.from)));
    const body = make("div", "body", make("b", "", post.from), make("p", "", post.text));
    this.#list.append(make("li", post.from === this.#name ? "own" : "", avatar, body));
    if (this.#list.childElementCount > MAX_POSTS) this.#list.firstElementChild?.remove();
    if (isAtEnd) scroller.scrollTop = scroller.scrollHeight;
  }
}

function hueOf(name: string): number {
  let hue = 7;
  for (const letter of name) hue = (hue * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return hue;
}
