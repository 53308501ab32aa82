// @ts-check
/**
 * The text of "Copy diagnostics". Contains no address, token, key, name or chat: it is built from numbers and fixed
 * words, and everything that looks like one of those is then masked as well.
 */
import { toast } from "../announce.js";
import { ownDevices } from "../media/own_devices.js";
import { path } from "./webrtc/path.js";

/** @typedef {{engine: import("./webrtc/engine.js").CallEngine, quality: import("./quality/monitor.js").QualityMonitor,
 *   state: () => object}} Subject */

/** UUIDs (session tokens have that form), IPv6, IPv4 (with port), mDNS names, long opaque words. */
const SECRETS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.local)?|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}|(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?|[\w-]+\.local|[A-Za-z0-9+/=_]{24,}/gi;

/** @param {string} text */
export const redact = (text) => text.replace(SECRETS, "[removed]");

/** @param {MediaStreamTrack|null} track */
function trackState(track) {
  if (!track) return "none";
  const { width, height, frameRate } = track.getSettings();
  return { readyState: track.readyState, muted: track.muted, width, height, frameRate };
}

/** @param {Subject} subject @returns {Promise<string>} JSON, redacted */
export async function diagnose({ engine, quality, state }) {
  const { pc } = engine;
  const found = {
    browser: navigator.userAgent.replaceAll(".0.0.0", ""), online: navigator.onLine, visible: document.visibilityState, page: state(),
    connection: await engine.stats(), ice: pc?.iceConnectionState ?? "none", route: pc && (await path(pc)),
    quality: quality.grade.word, level: quality.bitrate.level.name, choice: quality.bitrate.choice, log: quality.log,
    media: { ...ownDevices.state, camera: trackState(ownDevices.videoTrack) },
  };
  return redact(JSON.stringify(found, null, 1));
}

/** @param {HTMLElement} button @param {Subject} subject */
export function offerDiagnostics(button, subject) {
  button.addEventListener("click", async () => {
    const text = await diagnose(subject);
    const isCopied = await Promise.resolve(navigator.clipboard?.writeText(text)).then(() => Boolean(navigator.clipboard), () => false);
    if (isCopied) toast("Diagnostics copied. They hold no address, no name and no messages.", { key: "diagnostics" });
    else showText(button, text);
  });
}

/** Where the clipboard is closed to us, the person copies by hand. @param {HTMLElement} button @param {string} text */
function showText(button, text) {
  const area = document.createElement("textarea");
  area.className = "input";
  area.readOnly = true;
  area.rows = 6;
  area.value = text;
  area.setAttribute("aria-label", "Diagnostics, to be copied by hand");
  document.querySelector("[data-diagnostics]")?.remove();
  area.dataset.diagnostics = "";
  button.after(area);
  area.select();
}
