// @ts-check
/** The sign-in is over: whatever page this is, the start page is the place to go on. */
import { invites, on } from "./socket.js";

const leave = () => location.assign("/");

on(invites, "session:ended", leave);
on(invites, "socket:status", ({ code }) => { if (code === 4401) leave(); });
