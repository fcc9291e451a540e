"use strict";

const CHUNK = 32;
const AT_A_GLANCE = 5; // classes; the others unfold
const element = (id) => document.getElementById(id);
const percent = (value) => `${(100 * value).toFixed(1)} %`;

function headers() {
  const key = element("key").value;
  return key ? { Authorization: `Bearer ${key}` } : {};
}

async function request(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers() });
  if (response.status === 401) {
    element("key-field").hidden = false;
    element("key").focus();
  }
  return response;
}

const ask = async (path, options) => (await request(path, options)).json();

// What GET /model says, by version: a new model may take over while the page is open.
const models = new Map();

async function askModel() {
  const found = await ask("model");
  if (found.error) return null;
  element("model").textContent = `Model ${found.model_version}, ${found.classes.length} classes.`;
  element("quality").replaceChildren(...found.quality.words.map((sentence) => {
    const item = document.createElement("li");
    item.textContent = sentence;
    return item;
  }));
  return found;
}

function know(version) {
  if (!models.has(version)) {
    models.set(version, askModel().then((found) => {
      if (found?.model_version === version) return found;
      models.delete(version); // another worker's model answered
      return null;
    }));
  }
  return models.get(version);
}

// Pictures by their address, which names the version. Fetched, as an API key cannot go along with a mere src.
const pictures = new Map();

function picture(path) {
  if (!pictures.has(path)) {
    const loaded = request(path).then(async (response) => {
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return URL.createObjectURL(await response.blob());
    });
    loaded.catch(() => pictures.delete(path));
    pictures.set(path, loaded);
  }
  return pictures.get(path);
}

async function neighbours(list, number, version) {
  const known = await know(version);
  const cluster = known?.clusters[number];
  cluster?.images.forEach((path, place) => {
    const item = document.createElement("li");
    const image = document.createElement("img");
    image.alt = `Typical image ${place + 1} of cluster ${number}, ${cluster.caption}`;
    item.append(image);
    list.append(item);
    picture(path).then((address) => { image.src = address; }, () => item.remove());
  });
}

function bars(table, entries) {
  for (const [name, value] of entries) {
    const row = table.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    row.append(head);
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = value;
    bar.setAttribute("aria-label", name);
    row.insertCell().append(bar);
    const number = row.insertCell();
    number.className = "value";
    number.textContent = percent(value);
  }
}

function show(answer, file) {
  const item = element("answer").content.firstElementChild.cloneNode(true);
  const find = (selector) => item.querySelector(selector);
  find(".name").textContent = answer.name;
  const picture = find(".thumbnail");
  picture.src = URL.createObjectURL(file);
  picture.onload = () => URL.revokeObjectURL(picture.src);
  picture.onerror = () => { URL.revokeObjectURL(picture.src); picture.removeAttribute("src"); };
  if (answer.error) {
    find(".error").hidden = false;
    find(".error").textContent = answer.error.message;
    find(".decision").remove();
    find(".scores").remove();
  } else {
    const certain = answer.decision === "class";
    find(".decision").classList.add(`by-${answer.decision}`);
    find(".decision").textContent = certain ? `Class: ${answer.class}` : `Doubtful: cluster ${answer.cluster}`;
    find(".cluster").classList.toggle("decides", !certain);
    find("figcaption").textContent = `Looks like those of cluster ${answer.cluster}: ${answer.cluster_caption}`;
    neighbours(find(".neighbours"), answer.cluster, answer.model_version);
    find("meter").value = answer.ambiguity;
    find("output").textContent = percent(answer.ambiguity);
    const sorted = Object.entries(answer.class_probabilities).sort((one, other) => other[1] - one[1]);
    const shown = sorted.length > AT_A_GLANCE + 1 ? AT_A_GLANCE : sorted.length;
    bars(find(".classes tbody"), sorted.slice(0, shown));
    bars(find("details tbody"), sorted.slice(shown));
    find("details").hidden = shown === sorted.length;
    find("summary").textContent = `${sorted.length - shown} less probable classes`;
  }
  element("answers").append(item);
}

async function predict(files) {
  const status = element("status");
  element("answers").replaceChildren();
  let done = 0;
  for (let first = 0; first < files.length; first += CHUNK) {
    const part = files.slice(first, first + CHUNK);
    status.textContent = `${done} of ${files.length} images`;
    const body = new FormData();
    part.forEach((file) => body.append("images", file, file.name));
    try {
      const document = await ask("predict", { method: "POST", body });
      document.answers?.forEach((answer, place) => show(answer, part[place]));
      if (document.error) {
        status.textContent = document.error.message;
        return;
      }
    } catch (error) {
      status.textContent = `The service did not answer (${error.message}).`;
      return;
    }
    done += part.length;
  }
  status.textContent = `${done} ${done === 1 ? "image" : "images"} done`;
}

function start() {
  const drop = element("drop");
  element("form").addEventListener("submit", (event) => event.preventDefault());
  element("files").addEventListener("change", (event) => predict([...event.target.files]));
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    predict([...event.dataTransfer.files]);
  });
  askModel();
}

start();
