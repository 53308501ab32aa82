// @ts-check
/** The sign-in is over. Another device, or a new password: the sign-in page says so and lets this one take over again. */
import { invites, on } from "./socket.js";

/** Whether the reason came already; the bare close code that follows knows less. */
let isTold = false;

on(invites, "session:ended", ({ reason }) => {
  isTold = true;
  location.assign(reason === "signed_out" ? "/" : reason === "deleted" ? "/deleted" : "/login");
});
on(invites, "socket:status", ({ code }) => { if (code === 4401 && !isTold) location.assign("/login"); });
