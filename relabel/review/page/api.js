// Talks to the desk: who one is, questions, answers until they are stored, pictures.

const key = location.hash.slice(1);
let name = key ? "" : localStorage.getItem("dc3-review-name") ?? "";

export function setName(text) {
  name = text.trim();
  localStorage.setItem("dc3-review-name", name);
}

export class Refusal extends Error {
  constructor(status, reason, message) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

async function request(path, body) {
  const headers = key ? { Authorization: `Bearer ${key}` } : { "X-Annotator": encodeURIComponent(name) };
  const options = { headers, cache: "no-store" };
  if (body) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  const response = await fetch(`api/${path}`, options);
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({ error: { reason: "http", message: response.statusText } }));
  throw new Refusal(response.status, error.reason, error.message);
}

export const ask = async (path) => (await request(path)).json();

// crypto.randomUUID exists only on secure origins, and a lab's page may be plain HTTP.
export const newId = () => [...crypto.getRandomValues(new Uint8Array(16))]
  .map((byte) => byte.toString(16).padStart(2, "0")).join("");

const PENDING = "dc3-review-pending";
const pause = (ms) => new Promise((go) => { setTimeout(go, ms); });

// Sends until the desk has stored it or refused it. It is kept here meanwhile, so that a reload sends it again; the
// id lets the desk store it once.
export async function deliver(path, body, onTrouble) {
  sessionStorage.setItem(PENDING, JSON.stringify({ path, body, who: key || name }));
  for (let wait = 250; ; wait = Math.min(2 * wait, 5000)) {
    try {
      const answer = await (await request(path, body)).json();
      sessionStorage.removeItem(PENDING);
      return answer;
    } catch (error) {
      if (error instanceof Refusal && error.status < 500) {
        sessionStorage.removeItem(PENDING);
        throw error;
      }
      onTrouble(error);
      await pause(wait);
    }
  }
}

export function undelivered() {
  const kept = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  return kept?.who === (key || name) ? kept : null;
}

// Pictures as object addresses, because a key cannot go along with a mere src; the oldest go when there are many.
const pictures = new Map();
const KEPT = 600;

export function picture(place) {
  let loaded = pictures.get(place);
  if (!loaded) {
    loaded = request(`images/${place}`).then(async (response) => URL.createObjectURL(await response.blob()));
    loaded.catch(() => pictures.delete(place));
  }
  pictures.delete(place);
  pictures.set(place, loaded);
  if (pictures.size > KEPT) {
    const [oldest, address] = pictures.entries().next().value;
    pictures.delete(oldest);
    address.then(URL.revokeObjectURL, () => {});
  }
  return loaded;
}
