// The map of all images: selects look-alikes by lasso, box or keys; linked with the grid beside it both ways.

import { load, Tiles } from "./tiles.js";
import { boxOf, classStyle, drawMarks, drawPoints, drawSample, GREY, View } from "./scatter.js";

const element = (id) => document.getElementById(id);
const STATES = {
  certain: { text: "certain", colour: "#0072b2", shape: "circle" },
  ambiguous: { text: "ambiguous", colour: "#e69f00", shape: "triangle" },
  judged: { text: "judged by you", colour: "#009e73", shape: "cross" },
  control: { text: "control: one by one only", colour: GREY, shape: "ring" },
};
const REACH = 14;
const STEP = 12;

export class ImageMap {
  // `on.change()` is called when another selection can be labelled.
  constructor(on) {
    this.on = on;
    this.classes = [];
    this.largest = Infinity;
    this.selected = [];
    this.asked = [];
    this.left = "";
    this.strong = null;
    this.shape = [];
    this.cross = null;
    this.corner = null;
    this.only = null;
    this.seenClasses = false;
    this.tiles = new Tiles(element("chosen-images"), { toggle: () => this.#count(), look: (place) => this.look(place) });
    this.marks = element("marks");
    new ResizeObserver(() => this.draw()).observe(element("canvases"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    for (const radio of document.querySelectorAll("[name=colour]")) {
      radio.addEventListener("change", () => { this.only = null; this.legend(); this.draw(); });
    }
    this.#listen();
  }

  // New data; the view and the selection stay when the map was there before.
  show(data, asked) {
    this.data = data;
    this.asked = asked;
    this.view ??= new View(data.x, data.y);
    this.legend();
    this.select([]);
  }

  get chosen() {
    return this.selected.length > this.largest ? [] : this.selected.filter((place) => !this.tiles.pressed.has(place));
  }

  tool() {
    return document.querySelector("[name=tool]:checked").value;
  }

  colour() {
    return document.querySelector("[name=colour]:checked").value;
  }

  #group(place) {
    if (this.data.control[place]) return "control";
    if (this.colour() === "class") return this.data.class[place];
    if (this.data.judged[place]) return "judged";
    return this.data.ambiguous[place] ? "ambiguous" : "certain";
  }

  #style(group) {
    return STATES[group] ?? classStyle(group);
  }

  legend() {
    const groups = this.colour() === "class" ? [...this.classes.keys(), "control"] : Object.keys(STATES);
    const counts = new Map();
    this.data.x.forEach((_, place) => {
      const group = this.#group(place);
      counts.set(group, (counts.get(group) ?? 0) + 1);
    });
    element("legend").replaceChildren(...groups.map((group) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", this.only === group);
      const sample = document.createElement("canvas");
      drawSample(sample, this.#style(group));
      button.append(sample, `${STATES[group]?.text ?? this.classes[group]} ${counts.get(group) ?? 0}`);
      button.addEventListener("click", () => {
        this.only = this.only === group ? null : group;
        this.legend();
        this.draw();
        element("legend").children[groups.indexOf(group)].firstChild.focus();
      });
      item.append(button);
      return item;
    }));
  }

  draw() {
    if (!this.data || !this.marks.clientWidth) return;
    // whoever has seen the classes in colour has seen a proposal
    this.seenClasses ||= this.colour() === "class";
    [this.view.width, this.view.height] = [this.marks.clientWidth, this.marks.clientHeight];
    drawPoints(element("points"), this.view, (place) => {
      const group = this.#group(place);
      return { ...this.#style(group), faint: this.only !== null && this.only !== group };
    });
    this.drawMarks();
  }

  drawMarks() {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    drawMarks(this.marks, this.view, {
      rings: this.selected.length ? this.selected : this.asked,
      strong: this.strong,
      shape: this.shape,
      cross: document.activeElement === this.marks ? this.cross : null,
      ink: dark ? "#ffffff" : "#111111",
      link: dark ? "#8ab4f8" : "#0b57d0",
    });
  }

  // Points at an image, from the map or from the grid.
  look(place) {
    if (place === this.strong) return;
    this.strong = place;
    this.tiles.link(place);
    this.drawMarks();
    const peek = element("peek");
    peek.hidden = place === null;
    if (place === null) return;
    const [old, text] = peek.children;
    const image = new Image(); // a new one: the old one may still be loading what was looked at before
    image.alt = "";
    old.replaceWith(image);
    peek.className = "";
    load(image, place);
    const proposal = this.seenClasses ? `proposed: ${this.classes[this.data.class[place]]}` : "";
    const cluster = this.data.ambiguous[place] ? `ambiguous, cluster ${this.data.cluster[place]}` : "certain";
    text.textContent = [cluster, proposal, this.data.judged[place] ? "judged by you" : ""].filter(Boolean).join("; ");
  }

  select(places, more = false) {
    const fresh = places.filter((place) => !this.data.judged[place]);
    this.left = fresh.length < places.length ? `${places.length - fresh.length} that you have judged are left out. ` : "";
    this.selected = [...new Set(more ? [...this.selected, ...fresh] : fresh)];
    const shown = this.selected.length ? this.selected : this.asked;
    const most = shown.slice(0, this.largest);
    element("chosen-about").textContent = this.#advice(most.length);
    this.tiles.show(most, { fixed: !this.selected.length });
    this.drawMarks();
    this.#count();
  }

  #count() {
    const [all, out] = [this.selected.length, this.tiles.pressed.size];
    const nothing = this.asked.length ? "The question you are at" : "Nothing selected";
    element("chosen-title").textContent = all ? `${all - out} selected${out ? `, ${out} left out` : ""}` : nothing;
    this.on.change();
  }

  #advice(shown) {
    if (!this.selected.length) return `${this.left}Select look-alikes on the map to give them one class at once.`;
    if (this.selected.length > this.largest) {
      return `At most ${this.largest} get a class at once; the first ${shown} are shown. Select fewer.`;
    }
    return `${this.left}A class key or button stores them all; a click on an image leaves it out.`;
  }

  // Control images tell nothing of themselves; hidden groups cannot be meant.
  #free = (place) => !this.data.control[place] && (this.only === null || this.#group(place) === this.only);

  #close(more) {
    const found = this.view.inside(this.shape, this.#free);
    this.shape = [];
    this.select(found, more);
  }

  #listen() {
    const marks = this.marks;
    const at = (event) => [event.offsetX, event.offsetY];
    let start = null;
    marks.addEventListener("pointerdown", (event) => {
      marks.setPointerCapture(event.pointerId);
      start = at(event);
      this.shape = [];
      this.cross = this.corner = null;
    });
    marks.addEventListener("pointermove", (event) => {
      const [x, y] = at(event);
      if (!start) this.look(this.view.nearest(x, y, REACH, (place) => !this.data.control[place]));
      else if (this.tool() === "move") {
        this.view.move(x - start[0], y - start[1]);
        start = [x, y];
        this.draw();
      } else {
        if (this.tool() === "box") this.shape = boxOf(start, [x, y]); else this.shape.push([x, y]);
        this.drawMarks();
      }
    });
    marks.addEventListener("pointerup", (event) => {
      const moving = this.tool() === "move";
      const drawn = this.shape.length > 2;
      const near = this.view.nearest(...at(event), REACH, this.#free);
      start = null;
      if (moving) return;
      if (drawn) this.#close(event.shiftKey);
      else {
        this.shape = [];
        this.select(near === null ? [] : [near], event.shiftKey);
      }
    });
    marks.addEventListener("pointercancel", () => { start = null; this.shape = []; this.drawMarks(); });
    marks.addEventListener("pointerleave", () => { if (!start) this.look(null); });
    marks.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.view.zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, ...at(event));
      this.draw();
    }, { passive: false });
    marks.addEventListener("keydown", (event) => this.#key(event));
    marks.addEventListener("blur", () => this.drawMarks());
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    this.cross ??= [this.view.width / 2, this.view.height / 2];
    const step = event.shiftKey ? 1 : STEP;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const zooms = { "+": 1 / 1.2, "=": 1 / 1.2, "-": 1.2 };
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      this.cross = [
        Math.min(Math.max(this.cross[0] + dx, 0), this.view.width),
        Math.min(Math.max(this.cross[1] + dy, 0), this.view.height),
      ];
      if (this.corner) this.shape = boxOf(this.corner, this.cross);
      this.look(this.view.nearest(...this.cross, REACH, (place) => !this.data.control[place]));
    } else if (event.key in zooms) {
      this.view.zoom(zooms[event.key], ...this.cross);
      this.draw();
    } else if (event.key === "Home") {
      this.view.all();
      this.draw();
    } else if (event.key === " " && this.corner) {
      this.corner = null;
      this.#close(event.shiftKey);
    } else if (event.key === " ") {
      this.corner = [...this.cross];
    } else return;
    event.preventDefault();
    this.drawMarks();
  }
}
