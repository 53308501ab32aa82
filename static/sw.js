// @ts-check
/**
 * The service worker: it shows the notification of a ring, and brings its tab to the front when it is pressed. It keeps no
 * page and answers no request.
 */
const scope = /** @type {any} */ (self);

scope.addEventListener("install", () => scope.skipWaiting());
scope.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(scope.clients.claim()));

scope.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(bringToFront());
});

/** The tab that is open, else a new one in the room, where the ring is on the screen while it lasts. */
async function bringToFront() {
  const tabs = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const tab of tabs) {
    try {
      return await tab.focus();
    } catch {
      // Not allowed for this one: the next.
    }
  }
  return scope.clients.openWindow("/room");
}
