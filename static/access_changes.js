// @ts-check
/**
 * Access gained or lost while a page is open. Lost: the paywall gives the reason; a call in progress continues.
 * Gained: the paywall continues to the next step. `state` reports the same, in case the event was missed.
 */
import { toast } from "./announce.js";
import { invites, on } from "./socket.js";

const PATIENCE_MS = 2000;

/** @param {string} access */
function follow(access) {
  const before = document.body.dataset.access ?? "";
  if (access === before) return;
  document.body.dataset.access = access;
  if (access === "unpaid") lose();
  else if (before === "unpaid" && document.getElementById("paywall-access")) setTimeout(leadOn, PATIENCE_MS);
}

/** Access was granted elsewhere: in another tab, or by a payment that arrived. After a form, its answer continues. */
function leadOn() {
  if (!document.querySelector(".htmx-request")) location.reload();
}

function lose() {
  if (document.getElementById("call")) toast("Your access has ended. This call goes on; afterwards the paywall says why.", { seconds: 20 });
  else if (!document.querySelector("#receipts, #withdrawals")) location.assign("/paywall");
}

/** New terms, or an age that is not proven: both have a page of their own, which waits for the end of a call. */
on(invites, "error", ({ fields }) => {
  const page = fields?.acceptUrl ?? fields?.ageUrl;
  if (page && !document.getElementById("call")) location.assign(page);
});
on(invites, "access:changed", ({ access }) => follow(access));
on(invites, "state", ({ access }) => follow(access));
if (invites.state) follow(invites.state.access);
