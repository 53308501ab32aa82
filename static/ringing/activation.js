// @ts-check
/**
 * Browsers allow sound and vibration only after the user has interacted with the page (HTML 6.4, "user activation"): a
 * key, a mouse button, or a finger that is lifted. A finger that touches down does not count, so only these events are used.
 */
const EVENTS = ["keydown", "mousedown", "pointerup", "touchend", "click"];

/** Whether user activation may still be missing; false if the browser does not report it. */
export const lacksActivation = () => navigator.userActivation?.hasBeenActive === false;

/** Runs at each touch until stopped. @param {() => void} run @returns {() => void} stops it */
export function onActivation(run) {
  for (const type of EVENTS) document.addEventListener(type, run, { capture: true, passive: true });
  return () => { for (const type of EVENTS) document.removeEventListener(type, run, { capture: true }); };
}

/**
 * Keeps a context running: starts it at the next touch, and again after an interruption by the system (a phone call on iOS,
 * another app). @param {AudioContext} context @param {() => void} [changed] @returns {() => void} stops it
 */
export function keepRunning(context, changed = () => undefined) {
  // Safari has the additional state "interrupted"; a resume that is too early rejects or waits.
  const wake = () => { if (context.state !== "running" && context.state !== "closed") context.resume().catch(() => undefined); };
  const stop = onActivation(wake);
  const look = () => { if (!document.hidden) wake(); };
  document.addEventListener("visibilitychange", look);
  context.onstatechange = () => { changed(); if (context.state !== "running" && !document.hidden) wake(); };
  return () => { context.onstatechange = null; stop(); document.removeEventListener("visibilitychange", look); };
}
