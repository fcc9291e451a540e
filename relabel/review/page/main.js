// The page: one question after another, and the map.

import * as api from "./api.js";
import { Clock } from "./clock.js";
import { keysOf, listen } from "./keys.js";
import { ImageMap } from "./map.js";
import { load, Tiles } from "./tiles.js";

const element = (id) => document.getElementById(id);
const DRAFT = "dc3-review-draft";
const clock = new Clock();
const mapClock = new Clock();
const tiles = new Tiles(element("images"), { toggle: () => { describe(); keepDraft(); }, look: () => {} });
const map = new ImageMap({ change: updateButtons });
let session = null;
let state = null;
let busy = true;
let keys = [];

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const onMap = () => !element("map").hidden;

function say(text, trouble = false) {
  element("status").textContent = text;
  element("status").classList.toggle("trouble", trouble);
}

// What a reload must not lose of the question on the screen.
function keepDraft() {
  if (!state?.unit) return;
  const { id, images } = state.unit;
  const draft = { who: session.annotator, id, images, excluded: [...tiles.pressed], seconds: clock.seconds };
  sessionStorage.setItem(DRAFT, JSON.stringify(draft));
}

function draftOf(unit) {
  const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
  const same = draft?.who === session.annotator && draft.id === unit.id && `${draft.images}` === `${unit.images}`;
  return same ? draft : null;
}

function describe() {
  const { unit } = state;
  const out = tiles.pressed.size;
  element("question").textContent = unit.proposal
    ? `${unit.grid ? "Are these" : "Is this"}: ${unit.proposal}?`
    : "Which class is this?";
  element("about").textContent = unit.grid
    ? `${unit.caption}. ${plural(unit.images.length, "image")}, ${out} marked as not belonging.`
    : unit.proposal ? "One image with a proposed class." : "One image without a proposed class.";
}

async function show(next, taken = null) {
  state = next;
  busy = true;
  updateButtons();
  element("where").textContent = `${session.annotator}, round ${session.round}: ${plural(state.given, "answer")} `
    + `given, ${plural(state.left, "question")} left`;
  element("ask").hidden = onMap();
  if (state.unit) await showUnit(state.unit, taken);
  else {
    tiles.show([]);
    element("question").textContent = "Nothing is left to be judged.";
    element("about").textContent = "Thank you. You can still take the last answer back.";
    if (!onMap()) element("question").focus();
  }
  busy = false;
  updateButtons();
  state.preload.forEach((place) => api.picture(place).catch(() => {}));
}

async function showUnit(unit, taken) {
  const draft = taken ?? draftOf(unit) ?? { excluded: unit.suspects, seconds: 0 };
  clock.stop("unset");
  let loaded;
  if (unit.grid) loaded = tiles.show(unit.images, { pressed: draft.excluded, suspects: unit.suspects });
  else {
    tiles.show([]);
    loaded = showSingle(unit.images[0]);
  }
  describe();
  if (!onMap()) element("question").focus();
  await loaded; // nobody can answer what cannot be seen yet
  clock.set(draft.seconds);
  keepDraft();
}

function showSingle(place) {
  const figure = element("images");
  figure.className = "single";
  const image = document.createElement("img");
  image.alt = "The image to be judged";
  figure.replaceChildren(image);
  return load(image, place);
}

function updateButtons() {
  const { unit } = state ?? {};
  const free = Boolean(session) && !busy;
  element("ask").setAttribute("aria-busy", busy);
  const labelled = onMap() ? map.chosen.length > 0 : Boolean(unit);
  for (const button of element("classes").children) {
    button.disabled = !free || !labelled;
    button.classList.toggle("proposed", !onMap() && button.dataset.name === unit?.proposal);
  }
  element("find").disabled = !free || !labelled;
  element("accept").disabled = !free || onMap() || !unit?.proposal;
  element("mixed").disabled = !free || onMap() || !unit?.grid;
  element("skip").disabled = !free || onMap() || !unit;
  element("undo").disabled = !free || !state?.given;
}

async function send(path, body, done) {
  if (busy) return;
  busy = true;
  updateButtons();
  try {
    const next = await api.deliver(path, body, (error) => say(`NOT stored yet: ${error.message}. Trying again.`, true));
    sessionStorage.removeItem(DRAFT);
    await done(next);
  } catch (error) {
    say(`Not stored: ${error.message}`, true);
    if (error.reason === "changed") await show(await api.ask("next"));
  } finally {
    busy = false;
    updateButtons();
  }
}

function answer(decision, label = "") {
  const { unit } = state;
  const excluded = unit.grid && decision === "label" ? unit.images.filter((place) => tiles.pressed.has(place)) : [];
  const { id, images, proposal } = unit;
  const body = { id: api.newId(), unit: id, images, proposal, decision, label, excluded, seconds: clock.seconds };
  const kept = plural(images.length - excluded.length, "image");
  const out = excluded.length ? `, ${excluded.length} left out` : "";
  const text = { label: `Stored: ${kept} as ${label}${out}.`, mixed: `Stored: mixed, ${kept}.`, skip: "Stored: unsure." };
  return send("answers", body, async (next) => { say(text[decision]); await show(next); });
}

function labelSelection(label) {
  const images = map.chosen;
  if (!images.length) return say("Select images on the map first.");
  const body = {
    id: api.newId(), unit: "selection", images, proposal: "", decision: "label", label, excluded: [],
    seconds: mapClock.seconds, shown: map.seenClasses,
  };
  return send("selections", body, async (next) => {
    say(`Stored: ${plural(images.length, "image")} as ${label}.`);
    await show(next);
    await showMap();
  });
}

function choose(number) {
  const label = session?.classes[number];
  if (busy || !label) return;
  if (onMap()) labelSelection(label);
  else if (state?.unit) answer("label", label);
}

function accept() {
  if (busy || onMap() || !state?.unit) return;
  if (state.unit.proposal) answer("label", state.unit.proposal);
  else say("Nothing is proposed here: choose a class.");
}

function mixed() {
  if (busy || onMap() || !state.unit) return;
  if (state.unit.grid) answer("mixed");
  else say("Only a grid can be mixed; s says unsure.");
}

function skip() {
  if (!busy && !onMap() && state?.unit) answer("skip");
}

function undo() {
  if (busy || !state?.given) return;
  send("undo", { id: api.newId() }, async (next) => {
    const { taken } = next;
    say(`Taken back: ${taken ? taken.label || "no class" : "the last answer"}.`);
    const back = taken && !taken.selection && next.unit ? taken : null;
    await show(next, back);
    if (onMap()) await showMap();
  });
}

async function showMap() {
  const { unit } = state;
  map.show(await api.ask("map"), unit?.proposal ? unit.images : []);
  mapClock.set(0);
  map.draw();
  map.tiles.box.scrollTop = 0;
}

async function toggleMap() {
  if (busy) return;
  const open = element("map").hidden;
  element("map").hidden = !open;
  element("ask").hidden = open;
  element("to-map").setAttribute("aria-pressed", open);
  clock.stop("map", open);
  mapClock.stop("away", !open);
  if (open) {
    element("map-title").focus();
    await showMap();
  } else element("question").focus();
  updateButtons();
}

function arrows() {
  if (onMap() || !state?.unit?.grid) return false;
  tiles.enter();
  return true;
}

function makeClasses() {
  keys = keysOf(session.classes);
  element("classes").replaceChildren(...session.classes.map((name, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.name = name;
    if (keys[number]) {
      const key = document.createElement("kbd");
      key.textContent = keys[number];
      button.append(key, " ");
    }
    button.append(name);
    button.addEventListener("click", () => choose(number));
    return button;
  }));
  element("class-keys").textContent = `${keys[0]} … ${keys.at(-1)}`;
  element("find-field").hidden = session.classes.length <= keys.length;
  element("all-classes").replaceChildren(...session.classes.map((name) => new Option(name)));
}

// What the run that proposed is worth, where its folder says so.
function showQuality() {
  element("quality").hidden = !session.quality.length;
  element("quality").querySelector("ul").replaceChildren(...session.quality.map((sentence) => {
    const item = document.createElement("li");
    item.textContent = sentence;
    return item;
  }));
}

// A whole name, or the only one that begins like it.
function find() {
  const text = element("find").value.trim().toLowerCase();
  const names = session.classes.map((name) => name.toLowerCase());
  const begin = names.filter((name) => name.startsWith(text));
  const number = names.includes(text) ? names.indexOf(text) : begin.length === 1 ? names.indexOf(begin[0]) : -1;
  if (!text || number < 0) return say(`${begin.length} classes begin like this: type more.`);
  element("find").value = "";
  element("find").blur();
  choose(number);
}

async function start() {
  try {
    session = await api.ask("session");
  } catch (error) {
    element("enter").hidden = error.reason !== "no_name";
    if (error.reason === "no_name") element("name").focus();
    else if (error.reason === "no_key") say("Open the personal link that the owner of this review gave you.", true);
    else say(error.message, true);
    return;
  }
  element("enter").hidden = true;
  for (const id of ["ask", "answers", "to-map"]) element(id).hidden = false;
  map.classes = session.classes;
  map.largest = session.largest;
  makeClasses();
  showQuality();
  mapClock.stop("away");
  const kept = api.undelivered();
  if (kept) {
    busy = false;
    await send(kept.path, kept.body, async () => say("Stored what was not stored before."));
  }
  await show(await api.ask("next"));
}

listen({
  Enter: accept, m: mixed, u: undo, v: toggleMap,
  s: skip,
  "?": () => element("help").showModal(),
  "/": () => element("find").focus(),
  Escape: () => { if (onMap()) toggleMap(); },
  ArrowLeft: arrows, ArrowRight: arrows, ArrowUp: arrows, ArrowDown: arrows,
}, () => keys, choose);
element("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  api.setName(element("name").value);
  start();
});
element("find").addEventListener("keydown", (event) => {
  if (event.key === "Enter") { event.preventDefault(); find(); }
  if (event.key === "Escape") element("question").focus();
});
element("accept").addEventListener("click", accept);
element("mixed").addEventListener("click", mixed);
element("skip").addEventListener("click", skip);
element("undo").addEventListener("click", undo);
element("to-map").addEventListener("click", toggleMap);
element("to-help").addEventListener("click", () => element("help").showModal());
window.addEventListener("pagehide", keepDraft);
window.addEventListener("hashchange", () => location.reload());
document.addEventListener("visibilitychange", keepDraft);
start();
