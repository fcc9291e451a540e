// Which key means which class: digits first, then the letters that are no commands (m, s, u, v).

const KEYS = [..."1234567890", ..."abcdefghijklnopqrtwxyz"];

// One key a class, as far as they go; classes that are keys themselves, such as digits, are their own.
export function keysOf(classes) {
  const own = classes.every((name) => KEYS.includes(name));
  return own ? classes : KEYS.slice(0, classes.length);
}

// Calls `commands[key]`, or `choose(number)` for the class of a key in `keys()`, unless somebody is typing; one that gives
// false leaves the key to the browser. A key held down answers once. An open dialog takes all keys, `?` closes it.
export function listen(commands, keys, choose) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const dialog = document.querySelector("dialog[open]");
    if (dialog && event.key === "?" && !event.repeat) dialog.close();
    if (dialog || event.target.matches("input:not([type=radio])")) return;
    // Enter and Space on a button are that button's own, but for the images, where Enter accepts the whole grid
    if (event.key === "Enter" && event.target.matches("button:not(.tile)")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const number = keys().indexOf(key);
    const action = commands[key] ?? (number < 0 ? null : () => choose(number));
    if (!action) return;
    if (event.repeat && !key.startsWith("Arrow")) event.preventDefault();
    else if (action() !== false) event.preventDefault();
  });
}
