// @ts-check
/** Keeps the screen awake during a call. The browser releases the lock in the background, so it is requested again. */

/** @returns {() => void} lets the screen sleep again */
export function keepAwake() {
  /** @type {WakeLockSentinel|null} */
  let lock = null;
  let isWanted = true;
  const take = async () => {
    const isHeld = lock !== null && !lock.released;
    if (!isWanted || isHeld || document.hidden || !("wakeLock" in navigator)) return;
    lock = await navigator.wakeLock.request("screen").catch(() => null);
    if (!isWanted) lock?.release();
  };
  document.addEventListener("visibilitychange", take);
  take();
  return () => {
    isWanted = false;
    document.removeEventListener("visibilitychange", take);
    lock?.release();
  };
}
