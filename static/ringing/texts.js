// @ts-check
/** How a ring ended, in kind words. Reasons are those of the protocol. */

/** @type {Record<string, (name: string) => string>} */
const OUTGOING = {
  invalid_target: () => "This call cannot be made. Pick someone else.",
  invalid_duration: () => "That length is not possible. Pick between 1 and 30 minutes.",
  no_access: () => "You need access before you can call.",
  offline: (name) => `${name} is not here any more.`,
  cooldown: (name) => `You and ${name} met or tried not long ago. Give it some time and try again later.`,
  busy: (name) => `${name} is talking or ringing with someone else. Try again in a few minutes.`,
  declined: (name) => `${name} cannot talk right now. Someone else might be glad to.`,
  missed: (name) => `${name} did not answer. Maybe they stepped away.`,
  gone: () => "The connection was lost, so the ring ended. You can try someone else.",
  lost: () => "The connection was lost while ringing. Try again in a moment.",
  cancelled: () => "You stopped ringing.",
};

/** @type {Record<string, (name: string) => string>} */
const INCOMING = {
  cancelled: (name) => `${name} stopped ringing.`,
  missed: (name) => `You missed a call from ${name}.`,
  gone: (name) => `${name} lost the connection.`,
};

/** @type {Record<string, string>} */
const ELSEWHERE = {
  accepted: "Answered in another tab.",
  declined: "Declined in another tab.",
  cancelled: "Cancelled in another tab.",
};

/** @param {string} reason @param {string} name */
export const outgoingWords = (reason, name) => (OUTGOING[reason] ?? OUTGOING.lost)?.(name) ?? "";

/** @param {string} reason @param {string} name */
export const incomingWords = (reason, name) => INCOMING[reason]?.(name) ?? "The ring is over.";

/** @param {string} outcome */
export const elsewhereWords = (outcome) => ELSEWHERE[outcome] ?? "Answered in another tab.";
