// @ts-check
/**
 * Whether the user can be invited: going online, a break, a hidden tab. The wish is remembered by the browser, so that
 * entering the room takes the user online again; the actual state is what the server last sent. Being online opens camera
 * and microphone, for the own picture; while the tab is hidden for a minute outside of a call they are closed.
 */
import { toast } from "../announce.js";
import { canCall } from "../media/readiness.js";
import { ownDevices } from "../media/own_devices.js";
import { notificationState, watchNotifications } from "../ringing/notifications.js";
import { invites, on } from "../socket.js";
import { forget, recall, remember } from "../storage.js";
import { unlockAudio } from "../tones.js";
import { mayGoOnline, watchTroubles } from "./trouble.js";

const KEY = "napalm.online";
const DOWN_MS = 5000;
const HIDDEN_MS = 60_000;
const WORDS = { online: "You are online", away: "You are not online", lost: "Reconnecting…" };

/** @param {string} id @returns {HTMLElement} */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const own = element("own");
let available = false;
let downSince = Date.now();
let wasHidden = false;
/** Whether this document has been in the room, or in a call: only then it joins by itself. */ let hasEntered = false;
/** @type {ReturnType<typeof setTimeout>|undefined} */ let hiding;
/** @type {Set<() => void>} */ const watching = new Set();

/** A browser that cannot make calls never goes online. */
const wantsOnline = () => recall(KEY) === "yes" && canCall();

/** Without the socket for long enough to say so. */
export const isLost = () => downSince > 0 && Date.now() - downSince > DOWN_MS;
export const isAvailable = () => available;

/** Calls the listener at each change. @param {() => void} listener @returns {() => void} stops it */
export function watchPresence(listener) {
  watching.add(listener);
  return () => watching.delete(listener);
}

function draw() {
  const isConnected = invites.status === "open";
  if (isConnected) downSince = 0;
  else downSince ||= Date.now();
  if (!isConnected && !isLost() && own.dataset.presence) return;
  const state = isConnected ? (available ? "online" : "away") : "lost";
  own.dataset.presence = state;
  if (element("availability-words").textContent !== WORDS[state]) element("availability-words").textContent = WORDS[state];
  element("go-online").hidden = state === "lost" ? wantsOnline() : available;
  element("take-break").hidden = state !== "online";
  for (const listener of watching) listener();
}

/** @param {boolean} isListed as the server says */
function learn(isListed) {
  available = isListed;
  draw();
}

/** Waits for rings if that is wished; the devices stay as they are. After a call. @returns {boolean} whether it is wished */
export function waitOn() {
  hasEntered = wantsOnline();
  if (!hasEntered) ownDevices.close();
  else if (!available) invites.send({ type: "queue:join" });
  return hasEntered;
}

/** The same with open devices: in the room. */
export function enter() {
  if (waitOn() && !document.hidden) ownDevices.open();
}

/** Call from a click: it unlocks the ring tone too, and lets the browser ask for the devices. */
async function goOnline() {
  const button = /** @type {HTMLButtonElement} */ (element("go-online"));
  unlockAudio();
  button.disabled = true;
  ownDevices.open();
  const isFine = await mayGoOnline();
  button.disabled = false;
  if (isFine) remember(KEY, "yes");
  else element("room-trouble").focus();
  enter();
  if (!isFine) return;
  element("take-break").hidden = false;
  element("take-break").focus();
}

function takeBreak() {
  forget(KEY);
  invites.send({ type: "queue:leave" });
  ownDevices.close();
  element("go-online").hidden = false;
  element("go-online").focus();
}

export function tellHidden() {
  invites.send({ type: "queue:hidden", hidden: document.hidden, notifications: notificationState() === "granted" });
}

/** No camera runs unseen; it comes back with the tab. */
function watchTab() {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(closeHidden, HIDDEN_MS);
  else if (wasHidden) {
    wasHidden = false;
    toast("Your camera was off while this tab was in the background.", { key: "hidden" });
    enter();
  }
}

function closeHidden() {
  if (!document.hidden || ownDevices.isLent || !ownDevices.isOpen) return;
  wasHidden = true;
  ownDevices.close();
}

/** @param {import("../socket.js").Message} state */
function greet(state) {
  if (hasEntered && wantsOnline()) invites.send({ type: "queue:join" });
  tellHidden();
  learn(state.available);
}

own.hidden = false;
on(invites, "state", greet);
if (invites.state && invites.status === "open") greet(invites.state);
on(invites, "queue:state", (state) => learn(state.available));
on(invites, "socket:status", draw);
setInterval(() => { if (isLost()) draw(); }, 1000);
for (const type of ["visibilitychange", "htmx:after:swap"]) document.addEventListener(type, watchTab);
document.addEventListener("visibilitychange", tellHidden);
watchNotifications(tellHidden);
watchTroubles();
element("go-online").addEventListener("click", goOnline);
element("take-break").addEventListener("click", takeBreak);
