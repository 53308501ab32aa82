// @ts-check
/**
 * Whether the user can be invited: going online, taking a break, a hidden tab, notifications. The wish to be online is
 * kept per tab (sessionStorage); the actual state is what the server last sent.
 */
import { askForNotifications, notificationState, watchNotifications } from "../ringing/notifications.js";
import { canCall } from "../media/readiness.js";
import { invites, on } from "../socket.js";
import { forget, recall, remember } from "../storage.js";
import { unlockAudio } from "../tones.js";

const KEY = "napalm.online";

/** @param {(available: boolean, isConnected: boolean) => void} changed */
export function watchPresence(changed) {
  let available = false;
  const tell = () => changed(available, invites.status === "open");
  const greet = (/** @type {import("../socket.js").Message} */ state) => {
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
  watchNotifications(tellHidden);
}

/** A browser that cannot make calls never goes online. */
export const wantsOnline = () => recall(KEY, "session") === "yes" && canCall();

/** Call from a click: it unlocks the ring tone too. @param {() => Promise<boolean>} mayGoOnline looks first */
export async function goOnline(mayGoOnline) {
  unlockAudio();
  if (!(await mayGoOnline())) return false;
  remember(KEY, "yes", "session");
  invites.send({ type: "queue:join" });
  return true;
}

export function takeBreak() {
  forget(KEY, "session");
  invites.send({ type: "queue:leave" });
}

function tellHidden() {
  invites.send({ type: "queue:hidden", hidden: document.hidden, notifications: notificationState() === "granted" });
}

/** Offers notifications by a button, only while they can still be asked for. @param {HTMLElement} button */
export function offerNotifications(button) {
  button.hidden = notificationState() !== "default";
  button.addEventListener("click", async () => {
    await askForNotifications();
    button.hidden = notificationState() !== "default";
    tellHidden();
  });
}
