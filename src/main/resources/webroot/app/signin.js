// What is shown while the node wants a token and this tab has none.

import { html, nothing } from "lit";
import { Base } from "./base.js";
import { live } from "./live.js";
import { problem } from "./parts.js";

class SignIn extends Base {
  static properties = { error: { state: true }, busy: { state: true } };

  async #send(event) {
    event.preventDefault();
    const field = this.querySelector("input");
    this.busy = true;
    this.error = null;
    try {
      await live.signIn(field.value.trim());
    } catch (e) {
      this.error = e;
      await this.updateComplete;
      field.select();
    } finally {
      this.busy = false;
    }
  }

  render() {
    return html`<h1>Sign in</h1>
      <section class="card">
        <p>This node answers only to those who have its token. It is kept in this tab and forgotten with it.</p>
        <form class="fields" @submit=${(e) => this.#send(e)}>
          <div class="field">
            <label for="signin-token">Token</label>
            <input id="signin-token" type="password" autocomplete="off" spellcheck="false" required
              aria-invalid=${this.error ? "true" : nothing} aria-describedby="signin-note" />
            <span id="signin-note" class="note">the text in <code>admin.token</code>, in the node's data folder</span>
          </div>
          ${this.error ? html`<div class="wide">${problem(this.error)}</div>` : nothing}
          <div class="buttons wide"><button class="main" ?disabled=${this.busy}>Sign in</button></div>
        </form>
      </section>`;
  }
}

customElements.define("mcc-signin", SignIn);
