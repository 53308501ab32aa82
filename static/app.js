// @ts-check
/**
 * The entry module. Loads the modules that the current page needs, and does what every page needs (local times,
 * focus after a swap, htmx's token and errors). Pages work without it; the room, the call and the camera do not.
 */
import { polite, toast } from "./announce.js";
import { wakeIslands } from "./islands.js";

const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Shows <time data-local> in the reader's own zone and habit; the server's UTC text stays as its title. @param {ParentNode} root */
function localiseTimes(root) {
  for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (root.querySelectorAll("time[data-local]"))) {
    const instant = new Date(time.dateTime);
    if (Number.isNaN(instant.getTime())) continue;
    time.title = time.textContent?.trim() ?? "";
    time.textContent = LOCAL.format(instant);
    time.removeAttribute("data-local");
  }
}

/** An error summary takes the focus, so that it is read and seen first. @param {ParentNode} root */
function focusMarked(root) {
  const marked = /** @type {HTMLElement|null} */ (root.querySelector("[data-focus]"));
  marked?.focus();
}

/** @returns {string} */
const xsrfToken = () => /** @type {HTMLMetaElement|null} */ (document.querySelector('meta[name="xsrf"]'))?.content ?? "";

/**
 * @typedef {{sourceElement: HTMLElement, target?: HTMLElement, text?: string, swap?: string,
 *   request: {method: string, headers: Record<string, string>}, response?: {status: number, headers: Headers}}} HtmxContext
 * @param {Event} event @returns {HtmxContext}
 */
const contextOf = (event) => /** @type {CustomEvent} */ (event).detail.ctx;

/** As by its button; Safari 15 has no requestSubmit. @param {HTMLFormElement} form */
function submit(form) {
  if (form.requestSubmit) form.requestSubmit();
  else form.querySelector("button")?.click();
}

/** Does again what the failed request was made by. @param {HTMLElement} source */
function retry(source) {
  if (!source.isConnected) location.reload();
  else if (source instanceof HTMLFormElement) submit(source);
  else source.click();
}

/** @param {HTMLElement} source @param {string} text */
function toastRetry(source, text) {
  if (source.closest("[data-polling]")) return;
  toast(text, { tone: "danger", key: "request", action: { text: "Try again", run: () => retry(source) } });
}

/** A page whose token counts no more, or whose cookie is gone: sent again it would be refused again. @param {string} text */
function toastReload(text) {
  toast(text, { tone: "danger", key: "request", action: { text: "Reload", run: () => location.reload() } });
}

/** The server's own words from an error fragment, or ours for the status. @param {HtmxContext} ctx */
function wordsOf(ctx) {
  const page = new DOMParser().parseFromString(ctx.text ?? "", "text/html");
  const said = page.querySelector("#error [data-message]")?.textContent?.trim();
  if (said) return said;
  if (ctx.response?.status === 429) return "That was a lot at once. Wait a moment, then try again.";
  return "The server could not do that just now. Nothing was lost; try again in a moment.";
}

/** Signed out or access gone: a fragment cannot help, the page can. @param {number} status */
const needsNewPage = (status) => status === 401 || status === 402;

/** @param {Event} event */
function onResponseError(event) {
  const ctx = contextOf(event);
  const status = ctx.response?.status ?? 0;
  if (needsNewPage(status) && !ctx.response?.headers.has("HX-Redirect")) location.reload();
  else if (status === 403) toastReload(wordsOf(ctx));
  else if (status !== 422 && !answersTarget(ctx)) toastRetry(ctx.sourceElement, wordsOf(ctx));
}

/** Is this error a new version of the very thing it would replace (a form with its faults named)? @param {HtmxContext} ctx */
const answersTarget = (ctx) => Boolean(ctx.target?.id && ctx.text?.includes(`id="${ctx.target.id}"`));

/** Our fragments are no whole pages. @param {HtmxContext} ctx */
const isForeign = (ctx) => /<html[\s>]/i.test(ctx.text ?? "");

/** A conflict may come as the form again, or as an error that must not take the form's place. @param {Event} event */
function onBeforeSwap(event) {
  const ctx = contextOf(event);
  if (isForeign(ctx)) {
    event.preventDefault();
    return toastRetry(ctx.sourceElement, "Something between you and the site answered instead: a login page of this network, or a filter.");
  }
  before.set(ctx, { source: ctx.sourceElement, length: itemsOf(ctx.sourceElement).length });
  if ((ctx.response?.status ?? 200) >= 400 && !answersTarget(ctx)) event.preventDefault();
}

/** @param {Event} event */
function onNetworkError(event) {
  const ctx = contextOf(event);
  if (ctx?.sourceElement) toastRetry(ctx.sourceElement, navigator.onLine
    ? "No answer from the server. Try again in a moment."
    : "You are offline. Check your connection, then try again.");
}

/**
 * What was known before a swap: the source (htmx puts another element in its place once it is gone) and how many items
 * its list had. @type {WeakMap<HtmxContext, {source: HTMLElement, length: number}>}
 */
const before = new WeakMap();

/** @param {HTMLElement} source */
const itemsOf = (source) => /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(source.dataset.appends ?? "no-list"));

/** What a source asked for after success: a word that it is saved, the focus on the first item that "show older" brought. @param {HtmxContext} ctx */
function followUp(ctx) {
  const { source, length } = before.get(ctx) ?? { source: ctx.sourceElement, length: 0 };
  if ((ctx.response?.status ?? 500) >= 400) return;
  if (source.dataset.saved) toast(source.dataset.saved);
  if (source.dataset.appends) itemsOf(source)[length]?.focus();
}

function sayAnnouncements() {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-announce]"))) {
    polite(element.dataset.announce ?? "");
    element.removeAttribute("data-announce");
  }
}

/** @param {Event} event */
function onAfterSwap(event) {
  const ctx = contextOf(event);
  localiseTimes(document);
  wakeIslands();
  sayAnnouncements();
  followUp(ctx);
  if (ctx.request?.method !== "GET") focusMarked(document);
}

document.addEventListener("htmx:config:request", (event) => { contextOf(event).request.headers["X-XSRFToken"] = xsrfToken(); });
document.addEventListener("htmx:before:swap", onBeforeSwap);
document.addEventListener("htmx:after:swap", onAfterSwap);
document.addEventListener("htmx:response:error", onResponseError);
document.addEventListener("htmx:error", onNetworkError);

// A page from the back-forward cache may show a user who has signed out, or a form that was already sent. Reload it;
// sockets, devices and the call start again.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("body[data-user-id], button:disabled")) location.reload();
});

localiseTimes(document);
focusMarked(document);
wakeIslands();
