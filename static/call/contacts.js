// @ts-check
/**
 * Contacts during a call: the user's own answer, and the other's handles once both have said yes. Until then a "no"
 * looks like no answer. Handles are shown as text; the links are on the page after the call.
 */
import { polite } from "../announce.js";
import { post } from "../safety.js";

/** @param {HTMLElement} button */
export function start(button) {
  const left = new AbortController();
  const call = document.getElementById("call");
  const place = document.getElementById("call-contacts");
  const name = call?.dataset.peerName ?? "";
  const callId = call?.dataset.callId ?? "";

  /** @param {string} words */
  const show = (words) => {
    if (!place) return;
    place.hidden = !words;
    place.textContent = words;
  };
  /** @param {boolean} isYes */
  const say = async (isYes) => {
    if (!(await post(`/calls/${callId}/contacts`, { yes: isYes }))) return;
    button.setAttribute("aria-pressed", String(isYes));
    if (!button.hidden) show(isYes ? `You would share contacts. ${name} learns of it only by saying yes too.` : "");
  };
  /** @param {Record<string, string>} handles */
  const shared = (handles) => {
    const list = Object.entries(handles).map(([network, handle]) => `${network}: ${handle}`).join(", ");
    show(list ? `${name} shares ${list}` : `${name} shares contacts, but has no handles yet`);
    button.hidden = true;
    polite(place?.textContent ?? "");
  };
  button.addEventListener("click", () => say(button.getAttribute("aria-pressed") !== "true"));
  document.body.addEventListener("contacts:shared", (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    if (detail.callId === callId) shared(detail.handles);
  }, { signal: left.signal });
  return () => left.abort();
}
