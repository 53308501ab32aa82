// @ts-check
/**
 * Keeps the call in sight while an on-screen keyboard is open. Safari on iOS leaves the page as large as it was and moves
 * the visual viewport over it; other browsers make the page smaller themselves (`interactive-widget`), and nothing changes.
 */

const LEAST = 100; // a keyboard, not the bars of the browser
const view = window.visualViewport;

function fit() {
  const root = document.documentElement;
  const { height, offsetTop, scale } = /** @type {VisualViewport} */ (view);
  const covered = Math.round(root.clientHeight - offsetTop - height);
  const isOpen = scale < 1.05 && root.clientHeight - height > LEAST;
  root.toggleAttribute("data-keyboard", isOpen);
  root.style.setProperty("--view-top", isOpen ? `${Math.round(offsetTop)}px` : "0px");
  root.style.setProperty("--keyboard", isOpen ? `${Math.max(0, covered)}px` : "0px");
}

view?.addEventListener("resize", fit);
view?.addEventListener("scroll", fit);

export {};
