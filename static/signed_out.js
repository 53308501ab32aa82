// @ts-check
/**
 * The session has ended. After a sign-in elsewhere or a new password, the sign-in page says so and lets the user return.
 */
import { invites, on } from "./socket.js";

/** Whether the reason was received; the close code that follows says less. */
let isTold = false;

on(invites, "session:ended", ({ reason }) => {
  isTold = true;
  location.assign(reason === "signed_out" ? "/" : reason === "deleted" ? "/deleted" : "/login");
});
on(invites, "socket:status", ({ code }) => { if (code === 4401 && !isTold) location.assign("/login"); });
