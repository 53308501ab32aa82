// @ts-check
/**
 * Whether I can be rung: going online, taking a break, a hidden tab, notifications. The wish to be online belongs to this
 * tab's session (sessionStorage); the truth is what the server last said.
 */
import { invites, on } from "./socket.js";
import { unlockAudio } from "./tone.js";

const KEY = "napalm.online";

/** @param {(available: boolean, isConnected: boolean) => void} changed */
export function watchPresence(changed) {
  let available = false;
  const tell = () => changed(available, invites.status === "open");
  const greet = (/** @type {import("./socket.js").Message} */ state) => {
    available = state.available;
    if (wantsOnline()) invites.send({ type: "queue:join" });
    tellHidden();
    tell();
  };
  on(invites, "state", greet);
  if (invites.state && invites.status === "open") greet(invites.state);
  on(invites, "queue:state", (state) => { available = state.available; tell(); });
  on(invites, "socket:status", tell);
  document.addEventListener("visibilitychange", tellHidden);
}

export const wantsOnline = () => sessionStorage.getItem(KEY) === "yes";

/** Call from a click: it unlocks the ring tone too. */
export function goOnline() {
  unlockAudio();
  sessionStorage.setItem(KEY, "yes");
  invites.send({ type: "queue:join" });
}

export function takeBreak() {
  sessionStorage.removeItem(KEY);
  invites.send({ type: "queue:leave" });
}

const notificationState = () => (typeof Notification === "undefined" ? "denied" : Notification.permission);

function tellHidden() {
  invites.send({ type: "queue:hidden", hidden: document.hidden, notifications: notificationState() === "granted" });
}

/** Offers notifications by a button, only while they can still be asked for. @param {HTMLElement} button */
export function offerNotifications(button) {
  button.hidden = notificationState() !== "default";
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    button.hidden = notificationState() !== "default";
    tellHidden();
  });
}
