// @ts-check
/**
 * Notifications of a ring while the tab is hidden. Shown by the service worker, which phones require; without one, by
 * the page itself. "granted" is reported only while one of the two works: a user who cannot be notified is not listed
 * while the tab is hidden.
 */

/** @type {ServiceWorkerRegistration|null} */
let worker = null;
/** Set once a notification by the page has failed: Chrome on Android has the constructor but throws. */
let isRefused = false;
let changed = () => {};

const permission = () => (typeof Notification === "undefined" ? "denied" : Notification.permission);

/** Registers the worker only once notifications are allowed. */
async function start() {
  if (permission() !== "granted" || worker || !("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => null);
  worker = await Promise.race([navigator.serviceWorker.ready, new Promise((resolve) => { setTimeout(resolve, 5000, null); })]);
  changed();
}

start();

/** On phones only the worker can show notifications. */
const needsWorker = () => isRefused || /Android|iPhone|iPad/.test(navigator.userAgent);

/** @returns {NotificationPermission} */
export function notificationState() {
  return permission() === "granted" && !worker && needsWorker() ? "denied" : permission();
}

/** @param {() => void} listener when what is possible has changed */
export function watchNotifications(listener) {
  changed = listener;
}

/** Call from a click. */
async function askForNotifications() {
  // Older Safari uses a callback.
  await new Promise((resolve) => { Promise.resolve(Notification.requestPermission(resolve)).then(resolve, resolve); });
  await start();
}

/** @param {string} title @param {NotificationOptions} options with a tag @returns {() => void} takes it away */
export function notify(title, options) {
  if (permission() !== "granted") return () => {};
  const { tag } = options;
  if (worker) {
    const holder = worker;
    const shown = holder.showNotification(title, options).catch(() => undefined);
    return () => { shown.then(() => holder.getNotifications({ tag })).then((found) => found.forEach((one) => one.close()), () => undefined); };
  }
  return notifyFromPage(title, options);
}

/** @param {string} title @param {NotificationOptions} options */
function notifyFromPage(title, options) {
  try {
    const notification = new Notification(title, options);
    notification.onclick = () => { window.focus(); notification.close(); };
    return () => notification.close();
  } catch {
    isRefused = true;
    changed();
    return () => {};
  }
}

/** Offers notifications by a button, only while they can still be asked for. @param {HTMLElement} button @param {() => void} asked */
export function offerNotifications(button, asked) {
  button.hidden = notificationState() !== "default";
  button.addEventListener("click", async () => {
    await askForNotifications();
    button.hidden = notificationState() !== "default";
    asked();
  });
}
