// @ts-check
/** Makes a ring noticed: tone, vibration, the tab's title, and a notification when the tab is hidden. Stops all at once. */
import { startTone, stopTone } from "./tone.js";

/** @typedef {import("./ring_view.js").Person} Person */

const BUZZ = [350, 150, 350, 1150];
/** @type {ReturnType<typeof setInterval>|undefined} */
let pulse;
/** @type {Notification|null} */
let notification = null;
let plainTitle = "";

/** @param {Person} person @param {string} inviteId */
export function attract(person, inviteId) {
  release();
  plainTitle = document.title;
  startTone("in");
  beat(person.name, 0);
  let beats = 0;
  pulse = setInterval(() => beat(person.name, ++beats), 1000);
  if (document.hidden) notify(person, inviteId);
}

/** @param {string} name @param {number} beats */
function beat(name, beats) {
  document.title = beats % 2 ? plainTitle : `${name} is calling you`;
  if (beats % 2 === 0 && navigator.userActivation?.hasBeenActive) navigator.vibrate?.(BUZZ);
}

/** All tabs ring but the tag makes them one notification. @param {Person} person @param {string} inviteId */
function notify(person, inviteId) {
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
  try {
    notification = new Notification(`${person.name} is calling you`, {
      body: "Open Napalm Sky to answer.", tag: inviteId, icon: person.selfieUrl ?? undefined, requireInteraction: true,
    });
    notification.onclick = () => { window.focus(); notification?.close(); };
  } catch {
    notification = null; // Chrome on Android has the constructor but refuses it outside a service worker.
  }
}

export function release() {
  stopTone();
  clearInterval(pulse);
  if (plainTitle) document.title = plainTitle;
  plainTitle = "";
  navigator.userActivation?.hasBeenActive && navigator.vibrate?.(0);
  notification?.close();
  notification = null;
}
