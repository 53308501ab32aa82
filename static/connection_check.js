// @ts-check
/**
 * "Will it work for me?" on the paywall: devices, the socket, connectivity. Opens no device and makes no call. The texts
 * are in the page.
 */
import { knownDevices } from "./media/devices.js";
import { canCall, ways } from "./media/readiness.js";
import { invites } from "./socket.js";

const PATIENCE_MS = 6000;
const root = /** @type {HTMLElement} */ (document.getElementById("check"));
const button = /** @type {HTMLButtonElement} */ (root.querySelector("button"));

/** Only what a page can read without permission. */
async function devices() {
  if (!navigator.mediaDevices || !canCall()) return "browser";
  const found = await knownDevices();
  if (!found) return ""; // unknown: nothing is said
  const kinds = found.map(({ kind }) => kind);
  if (!kinds.includes("audioinput")) return "microphone";
  return kinds.includes("videoinput") ? "devices" : "camera";
}

async function network() {
  const answer = await fetch("/turn/credentials?purpose=check", { headers: { Accept: "application/json" } });
  if (answer.status === 429) return "often";
  const { iceServers } = await answer.json();
  const found = await ways(iceServers, (kind) => kind === "relay", PATIENCE_MS);
  if (found.has("relay")) return "relay";
  const offersRelay = JSON.stringify(iceServers).includes('"turn');
  if (found.has("srflx")) return offersRelay ? "maybe" : "direct";
  return iceServers.length ? "nothing" : "untried";
}

async function check() {
  button.disabled = true;
  show("looking");
  const live = invites.status === "open" ? "live" : "mute";
  show(await devices(), live, await network().catch(() => "away"));
  button.disabled = false;
}

/** @param {string[]} findings */
function show(...findings) {
  for (const line of root.querySelectorAll("li")) line.hidden = !findings.includes(line.dataset.finding ?? "");
}

root.hidden = false;
button.addEventListener("click", check);
