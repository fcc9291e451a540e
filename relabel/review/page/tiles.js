// A grid of images as buttons; a pressed one does not belong.

import { picture } from "./api.js";

const TINY = 128;
const ENLARGED = 10;

// Resolves when the picture can be seen; one that cannot be read says so.
export async function load(image, place) {
  try {
    image.src = await picture(place);
    await image.decode();
    const side = Math.max(image.naturalWidth, image.naturalHeight);
    image.classList.toggle("tiny", side < TINY);
    // a single one much larger, and the eye sees squares instead of a thing
    const limit = side < TINY && !image.closest(".tile") ? `${Math.max(ENLARGED * side, 2 * TINY)}px` : "";
    image.style.maxWidth = limit;
  } catch {
    image.closest(".tile, figure")?.classList.add("broken");
  }
}

const [SMALLEST, LARGEST, GAP] = [76, 176, 6];

// The fewest columns with which all squares are in sight at once, within the bounds of their size in pixels.
export function columnsFor(count, width, height) {
  const most = Math.max(1, Math.floor((width + GAP) / (SMALLEST + GAP)));
  for (let columns = Math.min(most, Math.max(1, Math.floor((width + GAP) / (LARGEST + GAP)))); columns < most; columns += 1) {
    const side = (width + GAP) / columns - GAP;
    if (Math.ceil(count / columns) * (side + GAP) <= height) return columns;
  }
  return most;
}

// `on` has toggle(place, pressed) and look(place or null).
export class Tiles {
  constructor(box, on) {
    this.box = box;
    this.on = on;
    this.pressed = new Set();
    this.places = [];
    box.addEventListener("keydown", (event) => this.#move(event));
    new ResizeObserver(() => this.#arrange()).observe(box);
  }

  // Resolves when all pictures can be seen.
  show(places, { pressed = [], suspects = [], fixed = false } = {}) {
    this.places = places;
    this.pressed = new Set(pressed);
    this.tiles = new Map();
    const marked = new Set(suspects);
    this.box.className = "tiles";
    this.#arrange();
    this.box.replaceChildren();
    this.box.scrollTop = 0;
    return Promise.all(places.map((place, number) => {
      const tile = document.createElement("button");
      tile.type = "button";
      tile.className = "tile";
      tile.tabIndex = number ? -1 : 0;
      tile.dataset.place = place;
      const image = document.createElement("img");
      image.alt = `Image ${number + 1} of ${places.length}${marked.has(place) ? ", suspect" : ""}`;
      tile.classList.toggle("suspect", marked.has(place));
      tile.append(image);
      if (fixed) tile.setAttribute("aria-disabled", "true");
      else tile.addEventListener("click", () => this.#toggle(place));
      tile.addEventListener("focus", () => this.on.look(place));
      tile.addEventListener("pointerenter", () => this.on.look(place));
      tile.addEventListener("pointerleave", () => this.on.look(null));
      this.tiles.set(place, tile);
      this.box.append(tile);
      this.#mark(place);
      return load(image, place);
    }));
  }

  // Outlines the tile of an image that is pointed at elsewhere.
  link(place) {
    this.box.querySelector(".linked")?.classList.remove("linked");
    this.tiles?.get(place)?.classList.add("linked");
  }

  #arrange() {
    const room = this.box.clientWidth - 2 * GAP;
    this.box.style.setProperty("--columns", columnsFor(this.places.length, room, this.box.clientHeight - 2 * GAP));
  }

  enter() {
    this.tiles?.get(this.places[0])?.focus();
  }

  #toggle(place) {
    const now = !this.pressed.has(place);
    if (now) this.pressed.add(place); else this.pressed.delete(place);
    this.#mark(place);
    this.on.toggle(place, now);
  }

  #mark(place) {
    const tile = this.tiles.get(place);
    const pressed = this.pressed.has(place);
    tile.setAttribute("aria-pressed", pressed);
    tile.title = pressed ? "does not belong" : "";
  }

  #move(event) {
    const tiles = [...this.box.children];
    const here = tiles.indexOf(document.activeElement);
    if (here < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const top = tiles[0].offsetTop;
    const columns = Math.max(1, tiles.filter((tile) => tile.offsetTop === top).length);
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const ends = { Home: 0, End: tiles.length - 1 };
    let to = event.key in ends ? ends[event.key] : here + (steps[event.key] ?? 0);
    if (!(event.key in ends) && !(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    to = Math.min(Math.max(to, 0), tiles.length - 1);
    tiles[here].tabIndex = -1;
    tiles[to].tabIndex = 0;
    tiles[to].focus();
  }
}
