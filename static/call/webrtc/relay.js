// @ts-check
/**
 * The relay socket of one call, connected to the engine: signalling in and out, and this side's media bit.
 * After a reconnect the bit is sent again, and the engine checks whether it must renegotiate.
 */
import { CallEngine } from "./engine.js";
import { on, Socket } from "../../socket.js";

/** @typedef {import("../../socket.js").Message} Message */

/** @param {string} callId */
export function openRelay(callId) {
  const socket = new Socket(`/ws/calls/${callId}`, { finalCodes: [1000] });
  const engine = new CallEngine({ callId, send: (message) => socket.send(message) });
  /** @type {boolean|null} */
  let bit = null;
  const sayBit = () => { if (bit !== null) socket.send({ type: bit ? "rtc:connected" : "rtc:disconnected" }); };
  on(socket, "call:state", ({ polite, peerHere, state }) => {
    engine.start({ polite, peerHere, isRejoin: state !== "connecting" });
    sayBit();
  });
  on(socket, "peer:joined", () => engine.peerJoined());
  on(socket, "peer:left", () => engine.peerLeft());
  for (const type of ["rtc:offer", "rtc:answer", "rtc:ice"]) on(socket, type, (message) => { engine.receive(message); });
  on(engine, "flow", ({ isFlowing }) => { bit = isFlowing; sayBit(); });
  addEventListener("pagehide", () => { if (bit) socket.send({ type: "rtc:disconnected" }); });
  socket.open();
  return { socket, engine };
}
