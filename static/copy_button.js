// @ts-check
/**
 * Copy and share buttons: [data-copy] holds the text, [data-share] the URL. Hidden if the browser supports neither.
 */
import { polite, toast } from "./announce.js";

/** @param {HTMLElement} button */
async function copy(button) {
  const words = button.querySelector("[data-copy-text]") ?? button;
  const before = words.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
  } catch {
    toast(`The browser did not allow copying. Here it is: ${button.dataset.copy}`, { seconds: 20 });
    return;
  }
  words.textContent = "Copied";
  polite(button.dataset.copied ?? "Link copied");
  setTimeout(() => { words.textContent = before; }, 2500);
}

/** @param {HTMLElement} button */
async function share(button) {
  const { share: url, shareTitle: title, shareText: text } = button.dataset;
  try {
    await navigator.share({ url, title, text });
  } catch (error) {
    // Closing the share sheet is not an error.
    if (!(error instanceof DOMException && error.name === "AbortError")) toast("Sharing did not work here. Copy the link instead.");
  }
}

function unveil() {
  const able = { "[data-copy]": Boolean(navigator.clipboard), "[data-share]": "share" in navigator };
  for (const [selector, isAble] of Object.entries(able)) {
    if (isAble) for (const button of document.querySelectorAll(selector)) /** @type {HTMLElement} */ (button).hidden = false;
  }
}

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement|null} */ (/** @type {Element} */ (event.target).closest("[data-copy], [data-share]"));
  if (button?.dataset.copy !== undefined) copy(button);
  else if (button?.dataset.share !== undefined) share(button);
});
document.addEventListener("htmx:after:swap", unveil);
unveil();
