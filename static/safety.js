// @ts-check
/**
 * Block and report in one tap, wherever a user is shown: a card, a ring, a call, its end, the history.
 *
 * A block is sent immediately. The report form is the server's own, opened over the page, so that a call need not be
 * left for it. A picture is taken from what this browser shows, only while its box is ticked, and is displayed before it
 * is sent. Without this module the same links and forms work as pages.
 */
import { toast } from "./announce.js";
import { invites, on } from "./socket.js";

const FRAME_PIXELS = 640;
const QUALITY = 0.8;
const NO_PICTURE = "There is no picture to attach now. Send the report without it, or try again when you see them.";
/** Who rings here now. @type {string|null} */
let ringing = null;

const xsrf = () => /** @type {HTMLMetaElement|null} */ (document.querySelector('meta[name="xsrf"]'))?.content ?? "";

/** The login page of a network, or a filter's, is no answer of the site. @param {Response} answer */
const isJson = (answer) => answer.headers.get("Content-Type")?.includes("json");

/** @param {string} path @param {object} body @returns {Promise<Response|null>} null: the server did not take it */
export async function post(path, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-XSRFToken": xsrf() };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
  if (answer?.ok && (answer.status === 204 || isJson(answer))) return answer;
  const told = await answer?.json().catch(() => null);
  toast(told?.error?.message ?? "That did not get through. Check your connection and try again.", { key: "safety", tone: "danger" });
  return null;
}

/** Announced by this tab itself, so that it is not shown as an answer from another tab. */
const declineRing = () => /** @type {HTMLElement|null} */ (document.querySelector('[data-ring="decline"]'))?.click();

/** @param {string} userId */
async function block(userId) {
  if (await post("/block", { userId })) toast("Blocked. You will not meet again.", { key: "safety" });
}

/** @param {string} address of the form; chat lines come with it when it names a call */
async function openReport(address) {
  const answer = await fetch(address, { headers: { "HX-Request": "true", Accept: "text/html" } }).catch(() => null);
  const html = answer?.ok ? await answer.text() : "";
  if (!html.includes("data-report-form")) return location.assign(address);
  const dialog = document.createElement("dialog");
  dialog.className = "report-dialog";
  dialog.setAttribute("aria-labelledby", "report-title");
  const body = document.createElement("div");
  body.className = "dialog-body";
  body.append(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  body.append(closeButton(dialog), toastsPlace());
  dialog.append(body);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  const form = /** @type {HTMLFormElement|null} */ (dialog.querySelector("form[data-report-form]"));
  if (form) listenTo(form, dialog);
  dialog.showModal();
  return undefined;
}

/** Messages about the form appear in it: what is behind a dialog cannot be reached. */
function toastsPlace() {
  const place = document.createElement("div");
  place.className = "toasts";
  return place;
}

/** @param {HTMLDialogElement} dialog */
function closeButton(dialog) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-wide";
  button.textContent = "Not now";
  button.addEventListener("click", () => dialog.close());
  return button;
}

/** @param {HTMLFormElement} form @param {HTMLDialogElement} dialog */
function listenTo(form, dialog) {
  offerFrame(form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (consentOf(form)?.checked && !frameOf(form)) return toast(NO_PICTURE, { key: "safety", tone: "danger" });
    if (ringing === new FormData(form).get("userId")) declineRing();
    const reason = /** @type {HTMLButtonElement} */ (event.submitter).value;
    const answer = await post("/report", reportOf(form, reason));
    if (!answer) return undefined;
    const { reference } = await answer.json();
    dialog.close();
    return toast(`Thank you. A moderator will look at it. Your reference is ${reference}; the outcome will be in your settings.`, { key: "safety" });
  });
}

/** @param {HTMLFormElement} form @param {string} reason */
function reportOf(form, reason) {
  const fields = new FormData(form);
  const frame = frameOf(form);
  return {
    userId: fields.get("userId"),
    ...(fields.get("callId") ? { callId: fields.get("callId") } : {}),
    reason,
    text: fields.get("text"),
    messageIds: fields.getAll("messageIds"),
    ...(frame ? { frame, frameConsent: true } : {}),
  };
}

/** In a call with a picture on the screen, a picture may go with it; once taken, it is kept. @param {HTMLFormElement} form */
function offerFrame(form) {
  const offer = /** @type {HTMLElement|null} */ (form.querySelector("[data-frame-offer]"));
  const consent = consentOf(form);
  if (!offer || !consent || !shownPicture()) return;
  offer.hidden = false;
  consent.addEventListener("change", () => {
    const canvas = canvasOf(form);
    if (consent.checked) take(canvas);
    consent.checked &&= hasPicture(canvas);
    canvas.hidden = !consent.checked;
  });
}

/** What is seen of the peer now. */
function shownPicture() {
  const video = /** @type {HTMLVideoElement|null} */ (document.getElementById("remote-video"));
  const isShown = document.getElementById("call-stage")?.dataset.picture === "yes";
  return isShown && video?.videoWidth && video.readyState >= video.HAVE_CURRENT_DATA ? video : null;
}

/** @param {HTMLFormElement} form */
const consentOf = (form) => /** @type {HTMLInputElement|null} */ (form.querySelector("[data-frame-consent]"));

/** @param {HTMLFormElement} form */
const canvasOf = (form) => /** @type {HTMLCanvasElement} */ (form.querySelector("[data-frame-canvas]"));

/** The picture of now; an earlier one stays if there is none. @param {HTMLCanvasElement} canvas */
function take(canvas) {
  const video = shownPicture();
  const taken = document.createElement("canvas");
  const scale = video ? Math.min(1, FRAME_PIXELS / Math.max(video.videoWidth, video.videoHeight)) : 0;
  [taken.width, taken.height] = [Math.round((video?.videoWidth ?? 0) * scale), Math.round((video?.videoHeight ?? 0) * scale)];
  if (video) taken.getContext("2d")?.drawImage(video, 0, 0, taken.width, taken.height);
  if (!showsAnything(taken)) return void (hasPicture(canvas) || toast(NO_PICTURE, { key: "safety", tone: "danger" }));
  [canvas.width, canvas.height] = [taken.width, taken.height];
  canvas.getContext("2d")?.drawImage(taken, 0, 0);
  canvas.dataset.taken = "yes";
}

/** @param {HTMLCanvasElement} canvas of the form */
const hasPicture = (canvas) => canvas.dataset.taken === "yes";

/** A picture of one colour shows nothing. @param {HTMLCanvasElement} canvas */
function showsAnything(canvas) {
  const { width, height } = canvas;
  const pixels = width && height ? new Uint32Array(canvas.getContext("2d")?.getImageData(0, 0, width, height).data.buffer ?? []) : [];
  return pixels.some((pixel) => pixel !== pixels[0]);
}

/** @param {HTMLFormElement} form @returns {string} a JPEG as a data: address; empty without consent, or without a picture */
function frameOf(form) {
  const canvas = canvasOf(form);
  return consentOf(form)?.checked && hasPicture(canvas) ? canvas.toDataURL("image/jpeg", QUALITY) : "";
}

/** @param {MouseEvent} event */
function tapped(event) {
  const target = /** @type {Element} */ (event.target);
  const link = /** @type {HTMLAnchorElement|null} */ (target.closest("a[data-report]"));
  const inRing = /** @type {HTMLElement|null} */ (target.closest("[data-ring-safety]"));
  if (link && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    openReport(link.href);
  } else if (target.closest("#call-block, #call-report")) {
    tappedInCall(target.closest("#call-block") !== null);
  } else if (inRing && ringing) {
    const whom = ringing;
    if (inRing.dataset.ringSafety === "report") return openReport(`/report?userId=${whom}`);
    declineRing();
    block(whom);
  }
}

/** @param {boolean} isBlock */
function tappedInCall(isBlock) {
  const { peerId = "", callId } = document.getElementById("call")?.dataset ?? {};
  if (isBlock) block(peerId);
  else openReport(`/report?userId=${peerId}&callId=${callId}`);
}

function listen() {
  document.addEventListener("click", tapped);
  on(invites, "call:notify", ({ fromUser }) => { ringing = fromUser.userId; });
  on(invites, "state", ({ invite }) => { ringing = invite?.direction === "in" ? invite.person.userId : null; });
  for (const over of ["call:cancelled", "call:answered", "call:start"]) on(invites, over, () => { ringing = null; });
  on(invites, "ban", ({ appealUrl }) => location.assign(appealUrl));
}

listen();
