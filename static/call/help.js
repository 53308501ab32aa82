// @ts-check
/**
 * What stands over the picture of a call: the help for a missing device with ways on, and why a call cannot go on in this tab.
 */
import { canCall } from "../media/readiness.js";
import { ownDevices } from "../media/own_devices.js";
import { troubleOfFaults } from "../troubles.js";

/** @typedef {import("../troubles.js").Fault} Fault */

/** @param {string} id @returns {HTMLElement} */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Close codes that end the call in this tab. @type {Record<number, {title: string, text: string, mayReturn: boolean}>} */
export const CLOSED = {
  4403: { title: "You cannot take part in this call any more", text: "Go back to the room to see what you can do.", mayReturn: false },
  4404: { title: "This call cannot be found", text: "It may have ended long ago.", mayReturn: false },
  4409: { title: "This call is open in another tab", text: "It goes on there. You can bring it here instead.", mayReturn: true },
};

/** @param {{title: string, text: string, mayReturn: boolean}} closed */
export function showClosed({ title, text, mayReturn }) {
  element("elsewhere-title").textContent = title;
  element("elsewhere-words").textContent = text;
  element("take-back").hidden = !mayReturn;
  for (const id of ["call-controls", "chat", "devices", "hear", "call-quality", "call-timer"]) element(id).hidden = true;
  element("call-help").hidden = true;
  element("call-words").textContent = "";
  element("call-elsewhere").hidden = false;
  element("elsewhere-title").focus();
}

export class DeviceHelp {
  #left;

  /** @param {AbortSignal} left the end of the page */
  constructor(left) {
    this.#left = left;
    ownDevices.addEventListener("asking", (event) => this.#show(/** @type {CustomEvent<Fault[]>} */ (event).detail), { signal: left });
    element("help-retry").addEventListener("click", () => this.join(() => ownDevices.open()));
    element("help-audio").addEventListener("click", () => this.join(() => ownDevices.openOnly(["audio"])));
    element("help-text").addEventListener("click", () => this.#joinWithText());
  }

  /** Takes part with what there is, and helps with the rest. @param {() => Promise<Fault[]>} ask */
  async join(ask) {
    element("call-help").hidden = true;
    const asking = ownDevices.faults.filter(({ cause }) => cause === "asking" || cause === "slow"); // since the room
    if (asking.length) this.#show(asking);
    await ask();
    if (this.#left.aborted) return;
    element("call-help").hidden = true; // the permission prompt was answered
    if (ownDevices.faults.length) this.#show(ownDevices.faults);
  }

  /** A missing device has its help, and ways on with what there is. @param {Fault[]} faults */
  #show(faults) {
    const { title, help, canRetry } = troubleOfFaults(faults);
    const { hasMicrophone, videoTrack } = ownDevices;
    const rest = hasMicrophone ? "sound only" : videoTrack ? "your picture only; you can write" : "";
    element("help-title").textContent = title;
    element("help-words").textContent = rest ? `${help} Until then, the call continues with ${rest}.` : help;
    element("help-retry").hidden = !canRetry;
    element("help-audio").hidden = !canRetry || Boolean(rest);
    element("help-text").textContent = rest ? "Go on like this" : "Join with text only";
    element("call-help").hidden = false;
    element("help-title").focus();
  }

  /** Chat still works, and the peer gets the reason why nothing else does. */
  showUnsupported() {
    element("help-title").textContent = "This browser cannot make video calls";
    element("help-words").textContent = "Lockdown Mode, a privacy setting, an extension or a policy of your organisation has switched WebRTC off. You can write to each other until the call ends; open the site in another browser for the next one.";
    for (const id of ["help-retry", "help-audio"]) element(id).hidden = true;
    element("help-text").textContent = "Go on with text";
    element("call-help").hidden = false;
  }

  /** With text only, working devices stay in use. */
  async #joinWithText() {
    element("call-help").hidden = true;
    if (canCall() && !ownDevices.hasMicrophone && !ownDevices.videoTrack) await ownDevices.openNothing();
  }
}
