// @ts-check
/**
 * The service worker: shows the notification of a ring, and focuses its tab when it is clicked. It caches no page and
 * handles no request.
 */
const scope = /** @type {any} */ (self);

scope.addEventListener("install", () => scope.skipWaiting());
scope.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(scope.clients.claim()));

scope.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(bringToFront());
});

/** An open tab, else a new one in the room, which shows the ring while it lasts. */
async function bringToFront() {
  const tabs = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const tab of tabs) {
    try {
      return await tab.focus();
    } catch {
      // Not allowed for this tab: try the next.
    }
  }
  return scope.clients.openWindow("/room");
}
