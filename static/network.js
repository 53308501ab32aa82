// @ts-check
/** What the browser says about a change of network. A change that it does not report shows by silence (call/webrtc/media_flow.js). */

/**
 * Chromium only. The speed, as far as the browser knows it: it also changes with the network, but not only then.
 * @param {() => void} listener @param {AbortSignal} signal ends it
 */
export function onOtherSpeed(listener, signal) {
  Reflect.get(navigator, "connection")?.addEventListener("change", listener, { signal });
}

/** Certainly another one. Chromium on phones says its type, also if there was no time offline. @param {() => void} listener @param {AbortSignal} signal ends it */
export function onOtherNetwork(listener, signal) {
  const type = () => Reflect.get(navigator, "connection")?.type;
  let known = type();
  window.addEventListener("online", listener, { signal });
  onOtherSpeed(() => {
    if (type() !== known) listener();
    known = type();
  }, signal);
}
