// @ts-check
/**
 * The server's time, as precisely as this browser can know it.
 *
 * Keeps the offset between the two clocks, updated from every `serverNow`. For a request with its answer (ping, pong)
 * the offset is corrected by half the round trip, and the fastest round trip is used for two minutes; an unrequested
 * message gives only a lower bound. Nothing counts ticks, so a throttled tab is correct when it next runs. The device's
 * own clock is not used, because it may be set during a call; `performance.now` never jumps. It may stand still while
 * the device sleeps; the next message from the server corrects it.
 */

const FRESH_MS = 120_000;

export class ServerClock {
  #offset = performance.timeOrigin;
  #roundTrip = Infinity;
  #learntAt = -Infinity;
  #isKnown = false;

  /**
   * @param {number} serverNow epoch milliseconds as the server wrote them
   * @param {number} [sentAt] performance.now() of the question, when this was an answer
   */
  learn(serverNow, sentAt) {
    const now = performance.now();
    if (!Number.isFinite(serverNow)) return;
    if (sentAt === undefined) this.#bound(serverNow - now);
    else this.#measure(serverNow, sentAt, now);
  }

  /** The answer cannot have left later than it came: the true offset is never below this. @param {number} least */
  #bound(least) {
    if (this.#isKnown && least <= this.#offset) return;
    this.#offset = least;
    this.#isKnown = true;
  }

  /** @param {number} serverNow @param {number} sentAt @param {number} now */
  #measure(serverNow, sentAt, now) {
    const roundTrip = now - sentAt;
    const isStale = now - this.#learntAt > FRESH_MS;
    if (roundTrip > this.#roundTrip && !isStale) return this.#bound(serverNow - now);
    this.#offset = serverNow + roundTrip / 2 - now;
    this.#roundTrip = roundTrip;
    this.#learntAt = now;
    this.#isKnown = true;
  }

  /** Server time now, epoch milliseconds. */
  now() {
    return performance.now() + this.#offset;
  }

  /** Milliseconds from now to an instant of the server, never below zero. @param {string|number} instant */
  until(instant) {
    return Math.max(0, toMs(instant) - this.now());
  }
}

/** Epoch milliseconds of an RFC 3339 text or a number. @param {string|number} instant */
export function toMs(instant) {
  return typeof instant === "number" ? instant : Date.parse(instant);
}

/** "4:05"; a begun second counts as a whole one, so that 0:00 means over. @param {number} ms */
export function clockText(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** "4 min", "1 min 30 s", "45 s". @param {number} seconds */
export function lengthText(seconds) {
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  return [minutes ? `${minutes} min` : "", rest || !minutes ? `${rest} s` : ""].filter(Boolean).join(" ");
}

/** "23 h 59 min", "12 min", "less than a minute". @param {number} ms */
export function waitText(ms) {
  const minutes = Math.ceil(ms / 60_000);
  if (minutes <= 1) return "less than a minute";
  const hours = Math.floor(minutes / 60);
  return [hours ? `${hours} h` : "", minutes % 60 ? `${minutes % 60} min` : ""].filter(Boolean).join(" ");
}

export const clock = new ServerClock();
