// @ts-check
/**
 * Why a camera or a microphone is not available, and what to do about it: the device and the cause by name. The errors
 * are those of W3C mediacapture-streams 10.3 and older names of browsers. Messages differ between Chromium, Firefox and
 * Safari, so only "by system" and "dismissed" are read from them.
 */

/** @typedef {"audio"|"video"} Kind */
/** @typedef {"asking"|"slow"|"blocked"|"dismissed"|"system"|"policy"|"missing"|"busy"|"unfit"|"insecure"|"unsupported"|"failed"} Cause */
/** @typedef {{kind: Kind, cause: Cause}} Fault */
/** @typedef {{title: string, help: string, canRetry: boolean}} Trouble */

/** @type {Record<string, Cause>} */
const CAUSES = {
  NotAllowedError: "blocked", PermissionDeniedError: "blocked", PermissionDismissedError: "dismissed",
  NotFoundError: "missing", DevicesNotFoundError: "missing", NotReadableError: "busy", TrackStartError: "busy",
  OverconstrainedError: "unfit", ConstraintNotSatisfiedError: "unfit", NotSupportedError: "unsupported", SecurityError: "unsupported",
};
const FEATURES = { audio: "microphone", video: "camera" };

/** What the browser has decided so far; "" where it does not say. @param {Kind} kind @returns {Promise<PermissionState|"">} */
export async function permissionOf(kind) {
  const name = /** @type {PermissionName} */ (/** @type {unknown} */ (FEATURES[kind]));
  // Older versions of Firefox and Safari throw on these names.
  return (await Promise.resolve().then(() => navigator.permissions.query({ name })).catch(() => null))?.state ?? "";
}

/** @param {Kind} kind */
function isForbiddenByHeader(kind) {
  const policy = /** @type {any} */ (document).permissionsPolicy ?? /** @type {any} */ (document).featurePolicy;
  return policy?.allowsFeature?.(FEATURES[kind]) === false;
}

/** @param {{name: string, message?: string}} error of getUserMedia @param {PermissionState|""} [state] @returns {Cause} */
export function causeOf({ name, message = "" }, state = "") {
  if (!window.isSecureContext) return "insecure";
  const cause = CAUSES[name] ?? "failed";
  if (cause !== "blocked") return cause;
  if (/by system/i.test(message)) return "system";
  return state === "prompt" || /dismissed/i.test(message) ? "dismissed" : "blocked";
}

/** @param {{name: string, message?: string}} error @param {Kind} kind @returns {Promise<Fault>} */
export async function faultOf(error, kind) {
  const cause = causeOf(error, await permissionOf(kind));
  return { kind, cause: cause === "blocked" && isForbiddenByHeader(kind) ? "policy" : cause };
}

const AGENT = navigator.userAgent;
/** In-app browsers: many of them give pages no camera. */
export const isInApp = /FBAN|FBAV|FB_IAB|Instagram|Line\/|MicroMessenger|Snapchat|TikTok|musical_ly|BytedanceWebview|Pinterest|LinkedInApp|; wv\)/i.test(AGENT);
const isPhone = /iPhone|iPad|Android/.test(AGENT) || (/Macintosh/.test(AGENT) && navigator.maxTouchPoints > 1);
const PLACE = /Android/.test(AGENT) ? "Tap the sign left of the address, then Permissions, and allow it"
  : isPhone ? "Tap the sign left of the address, open Website Settings, and choose Allow"
    : "Press the sign left of the address and allow it";
const SYSTEM = isPhone ? "Open the phone’s settings, find this browser there, and allow it"
  : "Open the system’s privacy settings (Windows: Privacy; Mac: Privacy & Security) and allow it for this browser";

/**
 * @param {string} and "camera and microphone" @param {string} or "camera or microphone" @param {string} are @returns {Record<Cause, Trouble>}
 */
const wordsFor = (and, or, are) => ({
  asking: { title: "Choose Allow in the browser’s bar", canRetry: false,
    help: `Your browser is asking for your ${and}. Its question is at the top of the window, mostly on the left, or over the page.` },
  slow: { title: `Your ${or} does not start`, canRetry: false,
    help: "It was asked for, and does not answer. Close other calls and camera apps, plug it in again, or restart the browser." },
  blocked: { title: `Your ${and} ${are} blocked`, canRetry: true, help: `${PLACE}, then try again.` },
  dismissed: { title: `Your browser may not use your ${and} yet`, canRetry: true,
    help: "Its question was closed without an answer. Try again, and choose Allow." },
  system: { title: `Your system blocks your ${and}`, canRetry: true, help: `${SYSTEM}, then try again.` },
  policy: { title: `This site may not use your ${and}`, canRetry: false,
    help: "A header of the site (Permissions-Policy) forbids it. Only the site’s operator can change that: please tell them." },
  missing: { title: `No ${or} was found`, canRetry: true, help: "Plug one in or switch it on, then try again." },
  busy: { title: `Your ${or} is busy`, canRetry: true,
    help: "Another program is using it. Close other calls and camera apps, then try again." },
  unfit: { title: `Your ${or} cannot do what was asked`, canRetry: true,
    help: "The chosen device does not fit any more. Try again and we will take any device there is." },
  insecure: { title: "This address is not secure", canRetry: false,
    help: "Browsers give camera and microphone only to pages opened by https. Open this site by its https address." },
  unsupported: { title: `This browser does not offer your ${and}`, canRetry: false,
    help: isInApp ? "This page is open inside another app. Open it in Safari, Chrome or Firefox itself: look for “Open in browser” in the app’s menu."
      : "They are switched off in its settings, or it is too old. Use a current Chrome, Safari, Firefox or Edge." },
  failed: { title: `Your ${or} did not start`, canRetry: true, help: "Check that it is connected and that no other program uses it, then try again." },
});

/** @param {readonly Kind[]} kinds @param {Cause} cause */
function about(kinds, cause) {
  const names = [...(kinds.includes("video") ? ["camera"] : []), ...(kinds.includes("audio") ? ["microphone"] : [])];
  return wordsFor(names.join(" and "), names.join(" or "), names.length > 1 ? "are" : "is")[cause];
}

/** What to tell about an error, without looking at anything else. @param {{name: string, message?: string}} error @param {readonly Kind[]} [kinds] @returns {Trouble} */
export const troubleOf = (error, kinds = ["audio", "video"]) => about(kinds, causeOf(error));

/** The text for a list of faults; faults with the same cause are combined. @param {readonly Fault[]} faults @returns {Trouble} */
export function troubleOfFaults(faults) {
  const causes = [...new Set(faults.map(({ cause }) => cause))];
  const told = causes.map((cause) => about(faults.filter((fault) => fault.cause === cause).map(({ kind }) => kind), cause));
  const titles = told.map(({ title }, index) => (index ? title.replace(/^\w/, (letter) => letter.toLowerCase()) : title));
  return { title: titles.join(", and "), help: told.map(({ help }) => help).join(" "), canRetry: told.some(({ canRetry }) => canRetry) };
}
