// @ts-check
/** Fetches pages of the queue as HTML: the same fragment as in the full page. */

/** @typedef {{articles: HTMLElement[], cursor: string, hasMore: boolean}} QueuePage */

/** @param {string} [cursor] none asks for the first page @returns {Promise<QueuePage|null>} null when it cannot be had */
export async function fetchQueue(cursor) {
  const url = cursor ? `/room/queue?cursor=${encodeURIComponent(cursor)}` : "/room/queue";
  const headers = { "HX-Request": "true", Accept: "text/html" };
  const answer = await fetch(url, { headers, credentials: "same-origin" }).catch(() => null);
  // Banned, or without access or a selfie: the answer is a redirect, not a page of the queue.
  const wayOn = answer?.headers.get("HX-Redirect");
  if (wayOn) location.assign(wayOn);
  return answer?.ok && !wayOn ? read(await answer.text()) : null;
}

/** @param {string} html @returns {QueuePage} */
function read(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const articles = /** @type {HTMLElement[]} */ ([...page.querySelectorAll("article")]);
  const mark = /** @type {HTMLElement|null} */ (page.querySelector("#queue-cursor"));
  return { articles: articles.map((card) => document.adoptNode(card)), cursor: mark?.dataset.cursor ?? "", hasMore: mark?.dataset.more === "yes" };
}
