// @ts-check
/**
 * Keyboard shortcuts: single keys without modifiers, ignored while the user types, fired once however long they are held.
 */

/** Safari ends the composition first and then sends its Enter, marked only by this code (UI Events 8.3). */
const COMPOSING_KEY = 229;

/** Whether a key belongs to an input method. @param {KeyboardEvent} event */
export const isComposing = (event) => event.isComposing || event.keyCode === COMPOSING_KEY;

/** @param {EventTarget|null} target */
const isTyping = (target) => target instanceof Element
  && target.closest("input, textarea, select, dialog, [contenteditable]:not([contenteditable=false])") !== null;

/**
 * The letter of the key by its place on the keyboard, so that it works in every script (the key that is C here is с in
 * Russian, ψ in Greek); else its name, as "ArrowLeft". On layouts that move Latin letters (Dvorak, AZERTY) the printed
 * letter works as well. "" when the key is not meant as a shortcut.
 * @param {KeyboardEvent} event @returns {string}
 */
export function shortcutOf(event) {
  const hasModifier = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.getModifierState("AltGraph");
  const isElsewhere = isTyping(event.target) || document.querySelector("dialog[open]") !== null;
  if (hasModifier || isElsewhere || event.repeat || event.defaultPrevented || isComposing(event)) return "";
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  return /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase() ?? event.key;
}
