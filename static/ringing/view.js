// @ts-check
/** The contents of <dialog id="ring">. Knows the markup of _ring.html, but not the protocol. */
import { clock, clockText, lengthText, toMs } from "../clock.js";
import { chooseSeconds, chosenSeconds, rememberedSeconds, rememberSeconds } from "./duration.js";

/** @typedef {{userId: string, name: string, gender: string, selfieUrl: string|null, isRobot?: boolean}} Person */
/** @typedef {"idle"|"in"|"asking"|"out"|"done"} Mode */

export const dialog = /** @type {HTMLDialogElement|null} */ (document.getElementById("ring"));
const body = /** @type {HTMLElement|null} */ (dialog?.querySelector(".ring") ?? null);

/** @param {string} name @returns {HTMLElement} */
function part(name) {
  const found = dialog?.querySelector(`[data-ring="${name}"]`);
  if (!found) throw new Error(`_ring.html lacks ${name}`);
  return /** @type {HTMLElement} */ (found);
}

/** @type {ReturnType<typeof setInterval>|undefined} */
let ticking;
/** Set while Escape must not close the dialog. */
let isHeld = false;

/** @param {string} name @param {() => void} run */
export const press = (name, run) => part(name).addEventListener("click", run);

/** Whether the page has a ring dialog at all (members only). */
export const hasDialog = () => body !== null;

/** @param {Mode} mode @param {Person} person @param {{kicker: string, words: string}} texts */
export function show(mode, person, { kicker, words }) {
  if (!dialog || !body) return;
  body.dataset.mode = mode;
  isHeld = mode !== "done";
  part("kicker").textContent = kicker;
  part("words").textContent = words;
  showPerson(person);
  for (const group of /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll("[data-modes]")))
    group.hidden = !group.dataset.modes?.split(" ").includes(mode);
  setBusy(false);
  if (!dialog.open) dialog.showModal();
  part("title").focus();
}

/** @param {Person} person */
function showPerson(person) {
  const image = /** @type {HTMLImageElement} */ (part("selfie"));
  part("title").textContent = person.name;
  part("robot").hidden = !person.isRobot;
  part("letter").textContent = person.selfieUrl ? "" : (Array.from(person.name)[0] ?? "").toUpperCase();
  image.hidden = !person.selfieUrl;
  if (person.selfieUrl) image.src = person.selfieUrl;
}

/** @param {string} text */
export const setWords = (text) => { part("words").textContent = text; };

/** While an answer is on its way nothing else can be pressed. @param {boolean} isBusy */
export function setBusy(isBusy) {
  for (const button of dialog?.querySelectorAll("button") ?? []) button.disabled = isBusy;
}

/** @param {boolean} mayExtend */
export const showExtend = (mayExtend) => { part("extend").hidden = !mayExtend; };

/** Where "Get access" and the like lead; none hides the link. @param {{href: string, text: string}|null} link */
export function showLink(link) {
  const anchor = /** @type {HTMLAnchorElement} */ (part("link"));
  anchor.hidden = !link;
  if (link) [anchor.href, anchor.textContent] = [link.href, link.text];
}

/** Own wish, and what it makes of both. @param {number} requestedSeconds */
export function offerWish(requestedSeconds) {
  const group = part("wish");
  const average = () => {
    const seconds = Math.floor((requestedSeconds + chosenSeconds(group)) / 2);
    part("average").textContent = `You would talk for ${lengthText(seconds)}`;
  };
  chooseSeconds(group, rememberedSeconds(group));
  group.onchange = () => { rememberSeconds(chosenSeconds(group)); average(); };
  average();
}

export const wishedSeconds = () => chosenSeconds(part("wish"));

/** Counts down to an instant of the server; `over` runs once at zero. @param {string|number} expiresAt @param {() => void} over */
export function countDown(expiresAt, over) {
  clearInterval(ticking);
  const whole = Math.max(1, toMs(expiresAt) - clock.now());
  const tick = () => {
    const left = clock.until(expiresAt);
    part("left").textContent = clockText(left);
    body?.style.setProperty("--left", String(Math.min(1, left / whole)));
    if (left > 0) return;
    clearInterval(ticking);
    over();
  };
  ticking = setInterval(tick, 200);
  tick();
}

export function hide() {
  isHeld = false;
  clearInterval(ticking);
  if (body) body.dataset.mode = "idle";
  if (dialog?.open) dialog.close();
}

export function stopCounting() {
  clearInterval(ticking);
}

// Escape neither declines nor cancels: a ring is answered by its buttons. Chrome closes the dialog at a second Escape even
// if `cancel` is prevented, so there is the key handler and the reopening.
dialog?.addEventListener("cancel", (event) => { if (isHeld) event.preventDefault(); });
dialog?.addEventListener("keydown", (event) => { if (isHeld && event.key === "Escape") event.preventDefault(); });
dialog?.addEventListener("close", () => { if (isHeld) dialog.showModal(); });
