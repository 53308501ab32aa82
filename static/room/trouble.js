// @ts-check
/** Problems that would spoil a call from this browser, shown with the own picture: before the user goes online, and later. */
import { knownDevices } from "../media/devices.js";
import { ownDevices } from "../media/own_devices.js";
import { canCall, findsWayOut } from "../media/readiness.js";
import { on, invites } from "../socket.js";
import { faultOf, permissionOf, troubleOfFaults } from "../troubles.js";

/** @typedef {import("../troubles.js").Fault} Fault */
/** @typedef {import("../troubles.js").Kind} Kind */

const SOCKET_MS = 6000;
const KINDS = /** @type {const} */ ([["video", "videoinput"], ["audio", "audioinput"]]);
const NO_CALLS = ["Video calls are switched off in this browser", "Lockdown Mode, a privacy setting, an extension or a policy of your organisation does that. Allow WebRTC for this site, or use another browser."];
const NO_WAY = ["No way for calls out of this browser was found", "An extension, a VPN, a privacy setting or your network stops them. Allow WebRTC for this site or try another network, then go online again."];
const NO_SOCKET = ["Live messages do not get through", "The site answers, but something between (a proxy, a company network, an extension) stops its WebSocket, so no one can ring you. Try another network, or mobile data."];
const ANYWAY = "You can be online anyway.";

/** @param {string} id @returns {HTMLElement} */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @type {string[]} */
let shown = [];
/** Whether it is about the devices. */
let isAboutDevices = false;

/** @param {string[]} words none takes the notice away @param {boolean} [isWarning] it stops nothing */
function show(words, isWarning = false) {
  isAboutDevices = isWarning;
  element("room-trouble").className = `notice ${isWarning ? "notice-warm" : "notice-danger"}`;
  const [title = "", help = ""] = (shown = words);
  element("room-trouble").hidden = !title;
  element("room-trouble-title").textContent = title && `${title}.`;
  element("room-trouble-words").textContent = help;
}

/** Known without asking for anything. @returns {Promise<Fault[]>} */
async function deviceFaults() {
  const lacks = !navigator.mediaDevices?.getUserMedia;
  const faults = KINDS.map(async ([kind, list]) => {
    if (lacks) return [await faultOf({ name: "NotSupportedError" }, kind)];
    if ((await permissionOf(kind)) === "denied") return [await faultOf({ name: "NotAllowedError" }, kind)];
    const devices = await knownDevices();
    const isThere = !devices || devices.some((device) => device.kind === list);
    return isThere ? [] : [await faultOf({ name: "NotFoundError" }, kind)];
  });
  return (await Promise.all(faults)).flat();
}

async function lookAtDevices() {
  const faults = await deviceFaults();
  if (!ownDevices.isOpen && faults.length) showFaults(faults);
}

/** What the open devices lack. */
function lookAtOpen() {
  const { faults } = ownDevices;
  if (!ownDevices.isOpen) return;
  if (faults.length) showFaults(faults);
  else if (isAboutDevices) show([]);
}

/** @param {readonly Fault[]} faults */
function showFaults(faults) {
  const { title, help } = troubleOfFaults(faults);
  if (faults.some(({ cause }) => cause === "asking" || cause === "slow")) return show([title, help], true);
  const rest = faults.length > 1 ? "the other person could only read you" : faults[0]?.kind === "audio" ? "you would be seen, and write" : "you would be heard, not seen";
  return show([title, `${help} ${ANYWAY} Then ${rest}.`], true);
}

/** Behind a proxy without WebSocket support, the connection never opens; one attempt may also be lost with a network. */
async function lookAtSocket(isAgain = false) {
  if (invites.hasOpened) return;
  const answer = await fetch("/healthz").then((found) => found.json()).catch(() => null); // a login page of a network is no answer
  if (invites.hasOpened) return;
  const isServed = answer?.status === "ok";
  if (isServed && isAgain) return show(NO_SOCKET);
  if (isServed) invites.open();
  setTimeout(lookAtSocket, SOCKET_MS, isServed);
}

/** Looks before the user is listed; what is found is on the screen. @returns {Promise<boolean>} */
export async function mayGoOnline() {
  show([]);
  if (!canCall()) show(NO_CALLS);
  else if (!(await findsWayOut())) show(NO_WAY);
  else if (ownDevices.isSettled) lookAtOpen();
  else await lookAtDevices();
  return shown !== NO_CALLS && shown !== NO_WAY;
}

export function watchTroubles() {
  if (!canCall()) return show(NO_CALLS);
  setTimeout(lookAtSocket, SOCKET_MS);
  on(invites, "socket:status", ({ status }) => { if (status === "open" && shown === NO_SOCKET) show([]); });
  navigator.mediaDevices?.addEventListener?.("devicechange", () => { if (isAboutDevices) show([]); lookAtDevices(); });
  ownDevices.addEventListener("change", lookAtOpen);
  return lookAtDevices();
}
