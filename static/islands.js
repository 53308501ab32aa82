// @ts-check
/**
 * The modules of what a page contains, and their life cycle.
 *
 * A module is imported when its element first appears. If it exports `start(element)`, it is started for each new such
 * element, and the function that `start` returns runs once that element has left the document: it frees what only this
 * page needed. Modules without `start` belong to the document.
 */
import { toast } from "./announce.js";

/** @typedef {() => void} Stop */
/** @typedef {{start?: (element: HTMLElement) => Stop|void}} Island */

/** An element of a page -> the module that handles it; `true`: imported before it appears, where pages are swapped. @type {[string, () => Promise<Island>, true?][]} */
const ISLANDS = [
  ["body[data-invites]", () => import("./socket.js")],
  ["body[data-invites]", () => import("./ringing/ring.js")],
  ["body[data-invites]", () => import("./access_changes.js")],
  ["body[data-invites]", () => import("./safety.js")],
  ["#own", () => import("./media/own_picture.js")],
  ["#own", () => import("./room/presence.js")],
  ["#room", () => import("./room/page.js"), true],
  ["#preview", () => import("./media/preview.js"), true],
  ["#queue-cards", () => import("./room/card_video.js"), true],
  ["#call", () => import("./call/page.js"), true],
  ["#call-contacts-yes", () => import("./call/contacts.js"), true],
  ["#selfie-camera", () => import("./media/selfie_camera.js")],
  ["#check", () => import("./connection_check.js")],
  ["#intro", () => import("./media/intro_video.js")],
  ["[data-copy], [data-share]", () => import("./copy_button.js")],
];

/** What each was started for, and how it is stopped. @type {Map<number, {element: Element, stop: Stop}>} */
const running = new Map();
/** Those that are here: they start at once. @type {Map<number, Island>} */
const imported = new Map();

/** Stops what has left the document, then starts what is new in it. */
export function wakeIslands() {
  for (const [index, { element, stop }] of running) {
    if (element.isConnected) continue;
    running.delete(index);
    stop();
  }
  ISLANDS.forEach(([selector, load, isAhead], index) => {
    const element = /** @type {HTMLElement|null} */ (document.querySelector(selector));
    if (element && !running.has(index)) begin(index, element, load);
    else if (isAhead && document.getElementById("own") && !imported.has(index)) fetched(index, load).catch(() => undefined);
  });
}

/** @param {number} index @param {() => Promise<Island>} load */
async function fetched(index, load) {
  const island = await load();
  imported.set(index, island);
  return island;
}

/** @param {number} index @param {HTMLElement} element @param {() => Promise<Island>} load */
function begin(index, element, load) {
  const one = { element, stop: () => {} };
  const begun = (/** @type {Island} */ { start }) => {
    if (running.get(index) === one && element.isConnected) one.stop = start?.(element) ?? one.stop;
  };
  const known = imported.get(index);
  running.set(index, one);
  if (known) begun(known);
  else fetched(index, load).then(begun, () => { running.delete(index); offerReload(); });
}

function offerReload() {
  toast("Part of this page did not load. Check your connection, then reload.",
    { tone: "danger", key: "load", action: { text: "Reload", run: () => location.reload() } });
}
