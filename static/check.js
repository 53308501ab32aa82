// @ts-check
/**
 * "Will it work for me?", on the paywall: devices, the live socket, a way out of this network. No device is opened,
 * nobody is called. The words are the page's.
 */
import { invites } from "./socket.js";

const PATIENCE_MS = 6000;
const root = /** @type {HTMLElement} */ (document.getElementById("check"));
const button = /** @type {HTMLButtonElement} */ (root.querySelector("button"));

/** Only what a page may know without asking. */
async function devices() {
  if (!navigator.mediaDevices || !window.RTCPeerConnection) return "browser";
  const kinds = (await navigator.mediaDevices.enumerateDevices()).map(({ kind }) => kind);
  if (!kinds.includes("audioinput")) return "microphone";
  return kinds.includes("videoinput") ? "devices" : "camera";
}

async function network() {
  const answer = await fetch("/turn/credentials?purpose=check", { headers: { Accept: "application/json" } });
  if (answer.status === 429) return "often";
  const { iceServers } = await answer.json();
  const found = await ways(iceServers);
  if (found.has("relay")) return "relay";
  const offersRelay = JSON.stringify(iceServers).includes('"turn');
  if (found.has("srflx")) return offersRelay ? "maybe" : "direct";
  return iceServers.length ? "nothing" : "untried";
}

/** The kinds of ICE candidates there are (RFC 8445 5.1.1). @param {RTCIceServer[]} iceServers */
async function ways(iceServers) {
  const pc = new RTCPeerConnection({ iceServers });
  /** @type {Set<string|null>} */
  const found = new Set();
  pc.createDataChannel("");
  await new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS);
    pc.onicecandidate = ({ candidate }) => { if (!candidate || found.add(candidate.type).has("relay")) resolve(null); };
    pc.setLocalDescription();
  });
  pc.close();
  return found;
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
