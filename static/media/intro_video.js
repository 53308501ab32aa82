// @ts-check
/**
 * The intro video in the settings: record, preview, upload; a chosen file is uploaded in the same way. The recording
 * stops automatically just before sixty seconds.
 */
import { Camera } from "./selfie_camera.js";
import { openWhatThereIs } from "./devices.js";
import "./unplayable.js";

const KINDS = ['video/mp4;codecs="avc1.42E01F,mp4a.40.2"', "video/webm;codecs=vp8,opus", "video/mp4"];

class IntroCamera extends Camera {
  /** @type {MediaRecorder|undefined} */ recorder;

  /** @override */
  ask() {
    return openWhatThereIs();
  }

  /** Starts the recording; the second call stops it. @override */
  shoot() {
    if (this.recorder?.state === "recording") return this.recorder.stop();
    try {
      this.record(new MediaRecorder(/** @type {MediaStream} */ (this.stream), { mimeType, videoBitsPerSecond: 1_500_000 }));
    } catch {
      this.keep(null);
    }
  }

  /** A recorder may fail at any time, and Safari may return an empty recording: the page says so. @param {MediaRecorder} recorder */
  record(recorder) {
    this.recorder = recorder;
    recorder.onerror = () => { recorder.ondataavailable = null; this.keep(null); };
    recorder.ondataavailable = ({ data }) => this.keep(data.size ? data : null);
    recorder.start();
    this.show("recording");
    this.tick(performance.now());
  }

  /** Seconds by the clock; six are needed before the button stops it. @param {number} began */
  tick(began) {
    if (this.recorder?.state !== "recording") return;
    const seconds = (performance.now() - began) / 1000;
    /** @type {HTMLElement} */ (this.root.querySelector("[data-clock]")).textContent = String(Math.floor(seconds));
    /** @type {HTMLButtonElement} */ (this.root.querySelector("[data-stop]")).disabled = seconds < 6;
    if (seconds > 59.5) this.recorder.stop();
    else setTimeout(() => this.tick(began), 100);
  }
}

/** Without a format that the site takes, there is only the file. */
const mimeType = window.MediaRecorder && KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
const root = document.getElementById("intro");
if (root && mimeType) {
  const camera = new IntroCamera(root, "video");
  camera.form.addEventListener("submit", (event) => {
    event.preventDefault();
    camera.keep(/** @type {HTMLInputElement} */ (document.getElementById("video")).files?.[0] ?? null);
    camera.upload();
  });
  addEventListener("pagehide", () => camera.stop());
}
