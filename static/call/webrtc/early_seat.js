// @ts-check
/** The seat of a call that begins is taken while the call's page is fetched; what arrives until then is kept for the page. */
import { RelaySocket } from "./relay_socket.js";

/** @type {RelaySocket|null} */
let early = null;

/** @param {string} callId */
export function takeEarly(callId) {
  leaveEarly();
  early = new RelaySocket(callId);
  early.openEarly();
}

/** The page of the call did not come. */
export function leaveEarly() {
  early?.close();
  early = null;
}

/** The socket for the page of a call; `start` opens it, if it is not open yet. @param {string} callId */
export function socketOf(callId) {
  const socket = early?.callId === callId ? early : new RelaySocket(callId);
  if (socket === early) early = null;
  return socket;
}
