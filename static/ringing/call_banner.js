// @ts-check
/** "You are in a call": a bar on every page except the call's own, while `state` contains a call. */

/** @param {string|null} callId none takes the bar away */
export function showCallBanner(callId) {
  document.getElementById("call-banner")?.remove();
  if (!callId || location.pathname === `/calls/${callId}`) return;
  const bar = document.createElement("div");
  const link = document.createElement("a");
  bar.id = "call-banner";
  bar.className = "call-banner";
  bar.setAttribute("role", "status");
  link.className = "button button-primary";
  link.href = `/calls/${callId}`;
  link.textContent = "Go to the call";
  bar.append("You are in a call.", link);
  document.querySelector(".skip")?.after(bar);
}
