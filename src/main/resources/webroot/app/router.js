// Which page, and how it is filtered and sorted: all of it in the address, so that a link reproduces the view.

export const PAGES = ["overview", "services", "tunnels", "peers", "dht", "network", "events"];

class Route extends EventTarget {
  constructor() {
    super();
    this.read();
    addEventListener("hashchange", () => this.read());
  }

  read() {
    const [page, query] = location.hash.replace(/^#\/?/, "").split("?");
    this.page = PAGES.includes(page) ? page : "overview";
    this.params = new URLSearchParams(query);
    this.dispatchEvent(new Event("change"));
  }

  get(name) {
    return this.params.get(name) ?? "";
  }

  /** Changes parameters in place: no new step of history for a letter typed. */
  set(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (value) this.params.set(name, value);
      else this.params.delete(name);
    }
    history.replaceState(null, "", href(this.page, this.params));
    this.dispatchEvent(new Event("change"));
  }

  go(page, params) {
    location.hash = href(page, params);
  }
}

export function href(page, params = {}) {
  const query = new URLSearchParams(params).toString();
  return `#/${page}${query ? "?" + query : ""}`;
}

export const route = new Route();
