// @ts-check
/**
 * Contacts during a call: the user's own answer, and the other's handles once both have said yes. Until then a "no"
 * looks like no answer. Handles are shown as text; the links are on the page after the call.
 */
import { polite } from "../announce.js";
import { post } from "../safety.js";

const call = document.getElementById("call");
const button = document.getElementById("call-contacts-yes");
const place = document.getElementById("call-contacts");
const name = call?.dataset.peerName ?? "";

/** @param {boolean} isYes */
async function say(isYes) {
  if (!button || !call || !(await post(`/calls/${call.dataset.callId}/contacts`, { yes: isYes }))) return;
  button.setAttribute("aria-pressed", String(isYes));
  if (!button.hidden) show(isYes ? `You would share contacts. ${name} learns of it only by saying yes too.` : "");
}

/** @param {string} words */
function show(words) {
  if (!place) return;
  place.hidden = !words;
  place.textContent = words;
}

/** @param {Record<string, string>} handles */
function shared(handles) {
  const list = Object.entries(handles).map(([network, handle]) => `${network}: ${handle}`).join(", ");
  show(list ? `${name} shares ${list}` : `${name} shares contacts, but has no handles yet`);
  if (button) button.hidden = true;
  polite(place?.textContent ?? "");
}

button?.addEventListener("click", () => say(button.getAttribute("aria-pressed") !== "true"));
document.body.addEventListener("contacts:shared", (event) => {
  const { callId, handles } = /** @type {CustomEvent} */ (event).detail;
  if (callId === call?.dataset.callId) shared(handles);
});
