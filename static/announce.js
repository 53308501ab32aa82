// @ts-check
/** Announcements: to screen readers through the two live regions of base.html, to everyone through toasts. */

/** @param {string} id @param {string} text */
function say(id, text) {
  const region = document.getElementById(id);
  if (!region) return;
  region.textContent = "";
  // An empty frame in between makes screen readers read the same sentence again.
  requestAnimationFrame(() => { region.textContent = text; });
}

/** Read when the listener is idle. @param {string} text */
export const polite = (text) => say("polite", text);

/** Read at once, interrupting. @param {string} text */
export const assertive = (text) => say("assertive", text);

/** @param {string} text @param {string} className @param {() => void} onClick */
function toastButton(text, className, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = className;
  button.textContent = text;
  button.addEventListener("click", onClick);
  return button;
}

/**
 * A message at the bottom of the screen. Toasts with an action stay until used or dismissed; others last `seconds`.
 * A second toast with the same `key` replaces the first.
 * @param {string} text
 * @param {{tone?: "plain"|"danger", key?: string, seconds?: number, action?: {text: string, run: () => void}}} [options]
 * @returns {() => void} takes the toast away
 */
export function toast(text, options = {}) {
  const { tone = "plain", key = text, seconds = 7, action } = options;
  const box = document.createElement("div");
  const close = () => box.remove();
  box.className = tone === "danger" ? "toast toast-danger" : "toast";
  box.dataset.key = key;
  const words = document.createElement("span");
  words.className = "toast-text";
  words.textContent = text;
  box.append(words);
  if (action) box.append(toastButton(action.text, "button button-primary", () => { close(); action.run(); }));
  box.append(toastButton("Close", "button button-quiet", close));
  show(box, key);
  (tone === "danger" ? assertive : polite)(text);
  if (!action) setTimeout(close, seconds * 1000);
  return close;
}

/** @param {HTMLElement} box @param {string} key */
function show(box, key) {
  // Inside an open dialog, because nothing else can be clicked: all dialogs here are modal.
  const home = document.querySelector("dialog[open] .toasts") ?? document.getElementById("toasts");
  if (!home) return;
  for (const old of home.querySelectorAll(".toast")) if (/** @type {HTMLElement} */ (old).dataset.key === key) old.remove();
  home.append(box);
}
