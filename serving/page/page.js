"use strict";

const CHUNK = 32;
const element = (id) => document.getElementById(id);
const percent = (value) => `${(100 * value).toFixed(1)} %`;

function headers() {
  const key = element("key").value;
  return key ? { Authorization: `Bearer ${key}` } : {};
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers() });
  if (response.status === 401) {
    element("key-field").hidden = false;
    element("key").focus();
  }
  return response.json();
}

function bars(table, probabilities) {
  const sorted = Object.entries(probabilities).sort((one, other) => other[1] - one[1]);
  for (const [name, value] of sorted) {
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
  picture.onload = picture.onerror = () => URL.revokeObjectURL(picture.src);
  if (answer.error) {
    find(".error").hidden = false;
    find(".error").textContent = answer.error.message;
    find(".decision").remove();
    find(".scores").remove();
  } else {
    const certain = answer.decision === "class";
    find(".decision").classList.add(`by-${answer.decision}`);
    find(".decision").textContent = certain ? `Class: ${answer.class}` : `Doubtful: cluster ${answer.cluster}`;
    find(".cluster").textContent = `Cluster ${answer.cluster}: ${answer.cluster_caption}`;
    find("meter").value = answer.ambiguity;
    find("output").textContent = percent(answer.ambiguity);
    bars(find(".classes tbody"), answer.class_probabilities);
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
  ask("model").then((model) => {
    if (model.model_version) {
      element("model").textContent = `Model ${model.model_version}, ${model.classes.length} classes.`;
    }
  });
}

start();
