// @ts-check
/** A <select> of the devices of one kind, with the current one selected, or a text if there is none. */
import { listDevices } from "./devices.js";

/** @param {HTMLSelectElement} select @param {MediaDeviceKind} kind @param {string} current */
export async function fillDeviceSelect(select, kind, current) {
  const devices = await listDevices(kind);
  const options = devices.map(({ label, deviceId }, index) => new Option(label || `Device ${index + 1}`, deviceId, false, deviceId === current));
  select.replaceChildren(...(options.length ? options : [new Option("None found", "")]));
  select.disabled = options.length === 0;
}
