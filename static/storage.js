// @ts-check
/**
 * What this browser remembers. Storage throws if cookies are blocked (Chromium) or if it is full or private (older
 * Safari); values then last as long as the page.
 */

/** @typedef {"local"|"session"} Area */

/** @type {Map<string, string>} */
const page = new Map();

/** @param {Area} area */
const storage = (area) => (area === "local" ? localStorage : sessionStorage);

/** @param {string} key @param {Area} [area] @returns {string|null} */
export function recall(key, area = "local") {
  try {
    return page.get(key) ?? storage(area).getItem(key);
  } catch {
    return page.get(key) ?? null;
  }
}

/** @param {string} key @param {string} value @param {Area} [area] */
export function remember(key, value, area = "local") {
  try {
    storage(area).setItem(key, value);
    page.delete(key);
  } catch {
    page.set(key, value);
  }
}

/** @param {string} key @param {Area} [area] */
export function forget(key, area = "local") {
  page.delete(key);
  try {
    storage(area).removeItem(key);
  } catch {
    // Blocked, so nothing is stored either.
  }
}
