// @ts-check
/**
 * The camera of a form, for the selfie and, through intro_video.js, for the intro video. Opens at most one stream, only
 * after a click. The preview is mirrored, and so is the photo, so that it looks as seen. The camera is released as soon
 * as a picture is taken or the page is left. The file field of the same form works without a camera.
 */
import { polite } from "../announce.js";
import { openWhatThereIs } from "./devices.js";
import { troubleOfFaults } from "../troubles.js";

const EDGE = 1080;
const SQUARE = { width: { ideal: 1280 }, height: { ideal: 1280 } };
/** Firefox's resistFingerprinting returns noise or white. @type {[string, string]} */
const PROTECTED = ["This browser changes the pictures that a page takes.",
  "Its protection against fingerprinting does that. Let this site read canvases (the sign left of the address), and open the camera again. Or choose a file below."];
const FILE = "Or choose a file below.";

const xsrfToken = () => /** @type {HTMLMetaElement|null} */ (document.querySelector('meta[name="xsrf"]'))?.content ?? "";

export class Camera {
  /** @param {HTMLElement} root @param {string} field of the form */
  constructor(root, field) {
    this.root = root;
    this.field = field;
    this.form = /** @type {HTMLFormElement} */ (root.closest("form"));
    this.video = /** @type {HTMLVideoElement} */ (root.querySelector("video"));
    this.taken = /** @type {HTMLImageElement} */ (root.querySelector('[data-when^="taken"]'));
    /** @type {MediaStream|null} */ this.stream = null;
    /** @type {Blob|null} */ this.blob = null;
    root.addEventListener("click", (event) => this.act(/** @type {Element} */ (event.target)));
    root.hidden = false;
    const fold = this.form.querySelector("details");
    if (fold && !fold.querySelector(".field-error")) fold.open = false;
    this.show("idle");
  }

  /** @param {Element} target */
  act(target) {
    const action = /** @type {HTMLElement|null} */ (target.closest("[data-camera]"))?.dataset.camera;
    if (action === "open") this.open();
    else if (action === "shoot") this.shoot();
    else if (action === "use") this.upload();
  }

  shoot() {}

  /** @param {string} state idle | asking | live | taken | sending | failed */
  show(state) {
    this.root.dataset.state = state;
    for (const part of this.root.querySelectorAll("[data-when]")) {
      const states = /** @type {HTMLElement} */ (part).dataset.when?.split(" ") ?? [];
      /** @type {HTMLElement} */ (part).hidden = !states.includes(state);
    }
  }

  async open() {
    this.stop();
    this.show("asking");
    const { tracks, faults } = await this.ask();
    this.stream = new MediaStream(tracks);
    if (!this.root.isConnected) return this.stop();
    if (faults.length) return this.fail(faults);
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => {});
    this.show("live");
    this.focus("shoot");
    return polite("The camera is on.");
  }

  ask() {
    return openWhatThereIs(["video"], { picture: SQUARE });
  }

  /** Shows each device and its fault. @param {import("../troubles.js").Fault[]} faults */
  fail(faults) {
    this.stop();
    const { title, help } = troubleOfFaults(faults);
    this.explain([`${title}.`, `${help} ${FILE}`]);
  }

  /** @param {[string, string]} words */
  explain([title, advice]) {
    /** @type {HTMLElement} */ (this.root.querySelector("[data-help-title]")).textContent = title;
    /** @type {HTMLElement} */ (this.root.querySelector("[data-help]")).textContent = advice;
    this.show(this.blob ? "taken" : "failed");
    const box = /** @type {HTMLElement} */ (this.root.querySelector("[data-help-box]"));
    box.hidden = false;
    box.focus();
  }

  /** @param {Blob|null} blob */
  keep(blob) {
    if (!blob) { this.stop(); return this.explain(["That did not work.", `Try again. ${FILE}`]); }
    this.stop();
    URL.revokeObjectURL(this.taken.src);
    this.blob = blob;
    this.taken.src = URL.createObjectURL(blob);
    this.show("taken");
    this.focus("use");
    return polite("Done. Use it, or take another.");
  }

  /** @param {string} action */
  focus(action) {
    /** @type {HTMLElement|null} */ (this.root.querySelector(`[data-camera="${action}"]:not([hidden])`))?.focus();
  }

  /** XMLHttpRequest, because fetch does not report upload progress. */
  upload() {
    if (!this.blob) return;
    const body = new FormData();
    body.append("_xsrf", xsrfToken());
    body.append(this.field, this.blob, this.field);
    const request = new XMLHttpRequest();
    request.open("POST", this.form.action);
    request.setRequestHeader("X-XSRFToken", xsrfToken());
    request.setRequestHeader("HX-Request", "true");
    request.setRequestHeader("Accept", "text/html");
    request.upload.onprogress = (event) => this.progress(event.loaded / event.total);
    request.onload = () => this.answered(request);
    request.onerror = () => this.unsent(/** @type {Blob} */ (this.blob));
    this.progress(0);
    this.show("sending");
    request.send(body);
  }

  /** Browsers report a file that was changed or moved after it was chosen like a lost connection. @param {Blob} blob */
  async unsent(blob) {
    const isReadable = await blob.stream().getReader().read().then(() => true, () => false);
    this.explain(isReadable ? ["It did not get through.", "Check your connection, then try again."]
      : ["This file can no longer be read.", "It was changed or moved after you chose it. Choose it again."]);
  }

  /** @param {number} part 0-1 */
  progress(part) {
    /** @type {HTMLProgressElement} */ (this.root.querySelector("progress")).value = Number.isFinite(part) ? part : 0;
  }

  /** @param {XMLHttpRequest} request */
  answered(request) {
    if (request.status < 400) location.assign(request.getResponseHeader("HX-Redirect") ?? request.responseURL);
    else this.explain(["It was not accepted.", this.reason(request.responseText)]);
  }

  /** The server's words out of the fragment it answered with. @param {string} html */
  reason(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const said = page.querySelector(`#${this.field}-error, #error [data-message]`)?.textContent?.trim();
    return said || "Take another one and try again.";
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }
}

/** Whether a canvas is read as it was painted; Brave's changes are too small to be seen. */
function keepsColours() {
  const pen = /** @type {CanvasRenderingContext2D} */ (Object.assign(document.createElement("canvas"), { width: 8, height: 8 }).getContext("2d"));
  pen.fillStyle = "rgb(64 128 32)";
  pen.fillRect(0, 0, 8, 8);
  return pen.getImageData(0, 0, 8, 8).data.every((value, index) => Math.abs(value - [64, 128, 32, 255][index % 4]) < 9);
}

class SelfieCamera extends Camera {
  /** Cuts the middle square, mirrored, at most EDGE pixels wide. @override */
  shoot() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width || !height) return;
    if (!keepsColours()) { this.stop(); return this.explain(PROTECTED); }
    const side = Math.min(width, height);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.min(side, EDGE);
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    pen.translate(canvas.width, 0);
    pen.scale(-1, 1);
    pen.drawImage(this.video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => this.keep(blob), "image/jpeg", 0.9);
  }
}

/** @type {SelfieCamera|null} */
let camera = null;

/** One camera for the element on the page; replaced when htmx swaps the element. */
function mount() {
  const root = document.getElementById("selfie-camera");
  if (!root || camera?.root === root) return;
  camera?.stop();
  camera = new SelfieCamera(root, "selfie");
}

document.addEventListener("htmx:after:swap", mount);
addEventListener("pagehide", () => camera?.stop());
mount();
