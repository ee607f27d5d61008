// What every element of the dashboard shares: no shadow tree, so that one style sheet reaches all of it.

import { LitElement } from "lit";
import { live } from "./live.js";
import { route } from "./router.js";

export class Base extends LitElement {
  createRenderRoot() {
    return this;
  }
}

/** A page: drawn anew with each new value and each change of the address. */
export class Page extends Base {
  #draw = () => this.requestUpdate();

  connectedCallback() {
    super.connectedCallback();
    live.addEventListener("change", this.#draw);
    route.addEventListener("change", this.#draw);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    live.removeEventListener("change", this.#draw);
    route.removeEventListener("change", this.#draw);
    clearInterval(this.timer);
  }

  /** Runs now and every few seconds, as long as the page is shown and somebody looks. */
  every(millis, work) {
    const run = () => {
      if (!document.hidden && !live.paused) work();
    };
    clearInterval(this.timer);
    this.timer = setInterval(run, millis);
    run();
  }
}
