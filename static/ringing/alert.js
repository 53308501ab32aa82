// @ts-check
/** Signals a ring: tone, vibration, the tab's title, and a notification if the tab is hidden. Stops them together. */
import { lacksActivation } from "./activation.js";
import { notify } from "./notifications.js";
import { startTone, stopTone } from "../tones.js";

/** @typedef {import("./view.js").Person} Person */

const BUZZ = [350, 150, 350, 1150];
/** @type {ReturnType<typeof setInterval>|undefined} */
let pulse;
let closeNotification = () => {};
let plainTitle = "";

/** @param {Person} person @param {string} inviteId */
export function attract(person, inviteId) {
  release();
  plainTitle = document.title;
  startTone("in");
  beat(person.name, 0);
  let beats = 0;
  pulse = setInterval(() => beat(person.name, ++beats), 1000);
  if (document.hidden) closeNotification = notify(`${person.name} is calling you`, noticeOf(person, inviteId));
}

/** @param {string} name @param {number} beats */
function beat(name, beats) {
  document.title = beats % 2 ? plainTitle : `${name} is calling you`;
  if (beats % 2 === 0 && !lacksActivation()) navigator.vibrate?.(BUZZ);
}

/** All tabs ring but the tag makes them one notification. @param {Person} person @param {string} inviteId */
const noticeOf = (person, inviteId) => ({
  body: "Open Napalm Sky to answer.", tag: inviteId, icon: person.selfieUrl ?? undefined, requireInteraction: true,
});

export function release() {
  stopTone();
  clearInterval(pulse);
  if (plainTitle) document.title = plainTitle;
  plainTitle = "";
  if (!lacksActivation()) navigator.vibrate?.(0);
  closeNotification();
  closeNotification = () => {};
}
