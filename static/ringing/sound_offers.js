// @ts-check
/** "Tap for sound": buttons in the ring and beside the own picture, while a ring would be silent. */

/** Longer than a tap. */
const SETTLE_MS = 700;

/** @returns {NodeListOf<HTMLElement>} */
const soundOffers = () => document.querySelectorAll("[data-sound-locked]");

/** An offer keeps its place: nothing may move under the finger that has unlocked the sound, perhaps by "Accept". @param {boolean} isLocked */
export function offerSound(isLocked) {
  for (const offer of soundOffers()) {
    offer.style.visibility = isLocked ? "visible" : "hidden";
    if (isLocked) offer.hidden = false;
    else if (!offer.closest("dialog")) setTimeout(() => { offer.hidden = offer.style.visibility === "hidden"; }, SETTLE_MS);
  }
}

/** Those that are not needed give up their place. */
export function clearSoundOffers() {
  for (const offer of soundOffers()) offer.hidden = offer.style.visibility !== "visible";
}
