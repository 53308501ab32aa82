// @ts-check
/** The call length that the user prefers, remembered in this browser. Seconds, always one of the offered choices. */

import { recall, remember } from "../storage.js";

const KEY = "napalm.wish";

/** @param {HTMLElement} group @returns {HTMLInputElement[]} */
const choices = (group) => [...group.querySelectorAll("input")];

/** The chosen seconds. @param {HTMLElement} group a fieldset of radio buttons */
export function chosenSeconds(group) {
  const input = choices(group).find((choice) => choice.checked) ?? choices(group)[0];
  return Number(input?.value ?? 300);
}

/** Marks the choice nearest to `seconds`. @param {HTMLElement} group @param {number} seconds */
export function chooseSeconds(group, seconds) {
  const distance = (/** @type {HTMLInputElement} */ choice) => Math.abs(Number(choice.value) - seconds);
  const [nearest] = choices(group).sort((a, b) => distance(a) - distance(b));
  if (nearest) nearest.checked = true;
}

/** What was wished last time, or the group's own default (data-default). @param {HTMLElement} group */
export function rememberedSeconds(group) {
  return Number(recall(KEY)) || Number(group.dataset.default) || 300;
}

/** @param {number} seconds */
export function rememberSeconds(seconds) {
  remember(KEY, String(seconds));
}
