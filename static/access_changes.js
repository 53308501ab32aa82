// @ts-check
/**
 * Access was gained or lost while a page is open. Lost: the paywall says why; a call in progress goes on. Gained: the
 * paywall leads on. `state` says it too, for whoever missed the event.
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

/** Access came from elsewhere: another tab, or the money at last. Whoever sent a form here is led on by its answer. */
function leadOn() {
  if (!document.querySelector(".htmx-request")) location.reload();
}

function lose() {
  if (document.getElementById("call")) toast("Your access has ended. This call goes on; afterwards the paywall says why.", { seconds: 20 });
  else if (!document.getElementById("receipts")) location.assign("/paywall");
}

on(invites, "access:changed", ({ access }) => follow(access));
on(invites, "state", ({ access }) => follow(access));
if (invites.state) follow(invites.state.access);
