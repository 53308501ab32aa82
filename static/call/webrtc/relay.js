// @ts-check
/**
 * The relay socket of one call, connected to the engine: signalling in and out, and this side's media bit.
 * After a reconnect the bit is sent again, and the engine checks whether it must renegotiate.
 */
import { CallEngine } from "./engine.js";
import { kindOfPath } from "./path.js";
import { socketOf } from "./early_seat.js";
import { invites, on } from "../../socket.js";

/** @typedef {import("../../socket.js").Message} Message */

/** `socket.start` begins. @param {string} callId @param {AbortSignal} left the page of the call */
export function relayOf(callId, left) {
  const socket = socketOf(callId);
  const usualMs = invites.mostMs;
  invites.mostMs = socket.mostMs;
  left.addEventListener("abort", () => { invites.mostMs = usualMs; });
  const engine = new CallEngine({ callId, send: (message) => socket.send(message), check: () => socket.check() });
  /** @type {boolean|null} */
  let bit = null;
  let [startedAt, reportedRestarts, hasReported] = [0, 0, false];
  const sayBit = (figures = {}) => {
    if (bit !== null) socket.send(bit ? { type: "rtc:connected", ...figures } : { type: "rtc:disconnected" });
  };
  /** For the operator's metrics: how media travel, and how long the first took. */
  const figures = async () => {
    const pictureMs = hasReported || !startedAt ? undefined : Math.round(performance.now() - startedAt);
    const path = await kindOfPath(engine.pc);
    const restarts = Math.min(20, engine.restarts - reportedRestarts);
    return { path, pictureMs, restarts };
  };
  /** @param {boolean} isFlowing */
  const flowChanged = async (isFlowing) => {
    bit = isFlowing;
    const found = isFlowing ? await figures() : {};
    if (bit !== isFlowing) return;
    if (isFlowing) [hasReported, reportedRestarts] = [true, engine.restarts];
    sayBit(found);
  };
  on(socket, "call:state", ({ polite, peerHere, state }) => {
    startedAt ||= performance.now();
    engine.start({ polite, peerHere, isRejoin: state !== "connecting" });
    sayBit();
  });
  on(socket, "peer:joined", () => engine.peerJoined());
  on(socket, "peer:left", () => engine.peerLeft());
  for (const type of ["rtc:offer", "rtc:answer", "rtc:ice"]) on(socket, type, (message) => { engine.receive(message); });
  on(engine, "flow", ({ isFlowing }) => { flowChanged(isFlowing); });
  const leave = () => { if (bit) socket.send({ type: "rtc:disconnected" }); };
  addEventListener("pagehide", leave, { signal: left });
  left.addEventListener("abort", leave);
  return { socket, engine };
}
