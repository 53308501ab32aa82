// @ts-check
/**
 * The cards of people online, one on the screen at a time. Cards keep their order and new ones are appended. The current
 * card changes only if the user moves on or that person leaves. Cards are the server's <article>s, identified by
 * data-user-id.
 */
import { clock, toMs, waitText } from "../clock.js";

const SWIPE_PX = 48;

export class CardStack {
  #at = 0;

  /** @param {HTMLElement} home holds the articles @param {(card: HTMLElement|null) => void} shown */
  constructor(home, shown) {
    this.home = home;
    this.shown = shown;
    for (const card of this.cards) looks.set(card, lookOf(card));
    this.#swipes();
  }

  /** @returns {HTMLElement[]} */
  get cards() {
    return [...this.home.querySelectorAll("article")];
  }

  /** @returns {HTMLElement|null} */
  get current() {
    return this.cards[this.#at] ?? null;
  }

  /** The number of cards after the current one. */
  get ahead() {
    return this.cards.length - 1 - this.#at;
  }

  /** "2 of 5", empty if there are no cards. */
  get place() {
    return this.cards.length > 1 ? `${this.#at + 1} of ${this.cards.length}` : "";
  }

  show() {
    const { cards } = this;
    this.#at = Math.max(0, Math.min(this.#at, cards.length - 1));
    cards.forEach((card, index) => { card.hidden = index !== this.#at; });
    this.tick();
    this.shown(this.current);
  }

  /** @param {1|-1} step */
  move(step) {
    const { length } = this.cards;
    if (length < 2) return;
    this.#at = (this.#at + step + length) % length;
    this.home.dataset.moved = step > 0 ? "next" : "previous";
    this.show();
  }

  /**
   * Takes in a page of fresh articles. @param {HTMLElement[]} fresh
   * @param {boolean} isComplete whether they are everyone, so that others have left
   * @returns {string[]} names of those who left
   */
  merge(fresh, isComplete) {
    for (const article of fresh) this.#place(article);
    const ids = fresh.map((article) => article.dataset.userId);
    const left = isComplete ? this.cards.filter((card) => !ids.includes(card.dataset.userId)) : [];
    const names = this.remove(left.map((card) => card.dataset.userId ?? ""));
    this.show();
    return names;
  }

  /** @param {HTMLElement} article */
  #place(article) {
    looks.set(article, lookOf(article));
    const old = this.cards.find((card) => card.dataset.userId === article.dataset.userId);
    if (!old) return this.home.append(article);
    article.hidden = old.hidden;
    if (looks.get(old) !== looks.get(article) || old.dataset.cooldownUntil !== article.dataset.cooldownUntil) old.replaceWith(article);
  }

  /** @param {string[]} ids @returns {string[]} the name of the current card's person when it was among them */
  remove(ids) {
    const { current, cards } = this;
    const gone = cards.filter((card) => ids.includes(card.dataset.userId ?? ""));
    const before = cards.slice(0, this.#at).filter((card) => gone.includes(card)).length;
    for (const card of gone) card.remove();
    this.#at -= before;
    this.show();
    return current && gone.includes(current) ? [current.dataset.name ?? ""] : [];
  }

  /** Shows the time left of cooldowns in words, and re-enables cards whose cooldown is over. */
  tick() {
    for (const card of this.cards) {
      const words = /** @type {HTMLElement|null} */ (card.querySelector("[data-cooldown-words]"));
      if (words) words.textContent = isOnCooldown(card) ? `Again in ${waitText(clock.until(card.dataset.cooldownUntil ?? 0))}` : "";
      card.classList.toggle("is-waiting", isOnCooldown(card));
    }
  }

  #swipes() {
    let from = 0;
    this.home.addEventListener("pointerdown", (event) => { from = event.clientX; });
    this.home.addEventListener("pointerup", (event) => {
      const moved = event.clientX - from;
      if (Math.abs(moved) > SWIPE_PX) this.move(moved < 0 ? 1 : -1);
    });
    this.home.addEventListener("dragstart", (event) => event.preventDefault());
  }
}

/** What is to be seen of the person; the forms around it carry a token that is another each time. @param {HTMLElement} card */
const lookOf = (card) => [...card.querySelectorAll("[hx-ignore]")].map((part) => part.innerHTML).join();

/** How each card came from the server. On the screen, translators and extensions rewrite it. @type {WeakMap<HTMLElement, string>} */
const looks = new WeakMap();

/** @param {HTMLElement} card */
export function isOnCooldown(card) {
  const until = card.dataset.cooldownUntil;
  return Boolean(until) && toMs(until ?? "") > clock.now();
}

/** The person of a card, in the protocol's form. @param {HTMLElement} card @returns {import("../ringing/view.js").Person} */
export function personOf({ dataset }) {
  const { userId = "", name = "", gender = "", selfieUrl, robot } = dataset;
  return { userId, name, gender, selfieUrl: selfieUrl || null, isRobot: robot !== undefined };
}
