// @ts-check
/**
 * Room, call and end of call as one document: their fragments are swapped into <main>, and their URLs are pushed to the
 * history. A click, an accepted ring, Back and Forward all take the same way (`show`); htmx's own history is switched off.
 * An answer that is not such a fragment (banned, signed out, not found) is loaded as a page of its own.
 *
 * What outlives a swap is outside of <main> and has one owner; everything else is freed by `stop` (islands.js):
 *   the invite socket                 socket.js (`invites`), opened by ringing/ring.js
 *   the ring and its dialog           ringing/ring.js, ringing/view.js
 *   the tone and its AudioContext     tones.js
 *   notifications                     ringing/notifications.js
 *   camera and microphone             media/own_devices.js
 *   own picture and level             media/own_picture.js
 *   the peer's picture and sound      call/tiles.js, released at the end of each call
 *   the wake lock                     call/wake_lock.js, released at the end of each call
 *   being online                      room/presence.js
 */
import { polite } from "./announce.js";

const SWAPPED = /^\/(?:room|calls\/[0-9a-f-]{36})$/;
const TRIES = 5;
const RETRY_MS = 1000;

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const site = document.title.split(" · ").pop() ?? "";
let shown = location.pathname;
let turn = 0;

/** Whether this document holds these pages; others are left by loading a new one. */
export const canSwap = () => document.getElementById("own") !== null;

/**
 * Shows one of the pages; the newest wish wins. @param {string} path
 * @param {{isBack?: boolean}} [options] `isBack`: the address is there already, by Back or Forward
 */
export async function show(path, { isBack = false } = {}) {
  if (!canSwap()) return location.assign(path);
  const mine = ++turn;
  const html = await load(path, mine);
  if (mine !== turn) return undefined;
  if (!html) return path === location.pathname ? location.reload() : location.assign(path);
  if (!isBack && path !== location.pathname) history.pushState(null, "", path);
  shown = path;
  await swap(html);
  return undefined;
}

/** Not parsed a second time: Chromium keeps such a document of the room for ever (seen in the tested version). @param {string} html */
async function swap(html) {
  const isCall = html.includes(' id="call"');
  for (const name of ["is-immersive", "is-call"]) document.body.classList.toggle(name, isCall);
  await /** @type {any} */ (window).htmx.swap({ text: html, target: main, swap: "innerHTML", sourceElement: main });
  const { title = "" } = /** @type {HTMLElement|null} */ (main.querySelector("[data-title]"))?.dataset ?? {};
  document.title = `${title} · ${site}`;
  scrollTo(0, 0);
  arrive(title);
}

/** As after a page load: the heading has the focus, the title is read, the link of the page is marked. @param {string} title */
function arrive(title) {
  for (const link of document.querySelectorAll(".site-nav a")) {
    if (link.getAttribute("href") === shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const heading = main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
  polite(title);
}

/** The fragment; null if the answer is another one. @param {string} path @param {number} mine @param {number} [tries] @returns {Promise<string|null>} */
async function load(path, mine, tries = TRIES) {
  const answer = await fetch(path, { headers: { "HX-Request": "true", Accept: "text/html" } }).catch(() => null);
  const isLost = !answer || answer.status >= 500;
  if (isLost && tries > 1 && mine === turn) {
    await new Promise((resolve) => { setTimeout(resolve, RETRY_MS); });
    return load(path, mine, tries - 1);
  }
  const html = answer?.ok ? await answer.text().catch(() => "") : "";
  return html.includes("data-title=") ? html : null;
}

/** @param {MouseEvent} event */
function followed(event) {
  const link = /** @type {HTMLAnchorElement|null} */ (/** @type {Element} */ (event.target).closest("a[href]"));
  const isPlain = !event.defaultPrevented && !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || !canSwap() || link.target || link.origin !== location.origin || link.search || link.hash) return;
  if (!SWAPPED.test(link.pathname)) return;
  event.preventDefault();
  show(link.pathname);
}

document.addEventListener("click", followed);
addEventListener("popstate", () => { if (location.pathname !== shown) show(location.pathname, { isBack: true }); });
