// @ts-check
/**
 * Autoplay of the intro video on the top card, muted, unless the user prefers reduced motion or data; sound on request.
 */
import "../media/unplayable.js";

/** @param {HTMLElement} home of the cards @returns {() => void} a video that leaves the document would play on */
export function start(home) {
  const saves = matchMedia("(prefers-reduced-motion: reduce), (prefers-reduced-data: reduce)").matches
    || /** @type {any} */ (navigator).connection?.saveData;
  const left = new AbortController();
  /** @type {HTMLVideoElement|null|undefined} */ let clip;
  const pause = () => clip?.pause();
  const look = () => {
    const top = /** @type {HTMLVideoElement|null} */ (home.querySelector("article:not([hidden]) video"));
    if (top === clip) return;
    pause();
    clip = top;
    if (!saves) clip?.play().catch(() => {});
  };
  home.addEventListener("click", ({ target }) => {
    const act = /** @type {HTMLElement} */ (target).dataset.clip;
    if (!clip || !act) return;
    if (act === "sound") clip.muted = !clip.muted;
    else if (clip.paused) clip.play().catch(() => {});
    else clip.pause();
  });
  for (const name of ["play", "pause", "volumechange"]) home.addEventListener(name, label, true);
  const watch = new MutationObserver(look);
  watch.observe(home, { childList: true, subtree: true, attributeFilter: ["hidden"] });
  for (const ring of ["call:notify", "call:ringing"]) document.body.addEventListener(ring, pause, { signal: left.signal });
  look();
  return () => { left.abort(); watch.disconnect(); pause(); };
}

/** Media events do not bubble: they are caught on the way down. @param {Event} event */
function label({ target }) {
  const { paused, muted, parentElement } = /** @type {HTMLVideoElement} */ (target);
  const [play, sound] = parentElement?.parentElement?.querySelectorAll("[data-clip]") ?? [];
  if (!play || !sound) return;
  play.textContent = paused ? "Play intro" : "Pause";
  sound.textContent = muted ? "Sound on" : "Sound off";
}
import "../media/unplayable.js";
