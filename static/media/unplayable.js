// @ts-check
/**
 * Words for a video that cannot be played here, such as webm in Safari before 17.4. They take the place of its buttons.
 */

/** @param {Event} event */
function showWords({ target }) {
  if (!(target instanceof HTMLVideoElement) || !target.currentSrc || (target.error?.code ?? 0) < MediaError.MEDIA_ERR_DECODE) return;
  const words = document.createElement("p");
  words.className = "unplayable";
  words.setAttribute("role", "status");
  words.textContent = "This browser cannot play this video.";
  const buttons = target.closest("article")?.querySelector(".clip-buttons");
  if (buttons) return buttons.replaceChildren(words);
  if (!target.nextElementSibling?.matches(".unplayable")) target.after(words);
}

document.addEventListener("error", showWords, true); // errors of media do not bubble

export {};
