// The REST interface, and the commands that do the same.

/** What the node answered when it refused, with the fields of an RFC 9457 problem. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

const OFFLINE = {
  title: "The node does not answer",
  code: "unreachable",
  detail: "No connection to the node that serves this page.",
  hint: "Check whether it still runs (mcc status), or start it again",
};

const TOKEN = "mcc-token";

/** The token of this tab, gone with it; null for none. */
export const token = () => sessionStorage.getItem(TOKEN);

/** Uses a token from now on; null for none. */
export function useToken(text) {
  if (text) sessionStorage.setItem(TOKEN, text);
  else sessionStorage.removeItem(TOKEN);
}

/** What every request says of itself: a token goes into a header, never into an address. */
const headers = (body) => ({
  ...(body === undefined ? {} : { "Content-Type": "application/json" }),
  ...(token() ? { Authorization: `Bearer ${token()}` } : {}),
});

/** One request; the answer's JSON, or {@link Refused}. */
export async function call(method, path, body, signal) {
  let response;
  try {
    response = await fetch("/api/v1" + path, {
      method,
      signal,
      headers: headers(body),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new Refused(OFFLINE);
  }
  const answer = await response.json().catch(() => ({}));
  if (response.status === 401) dispatchEvent(new Event("mcc-signed-out"));
  if (!response.ok) throw new Refused({ title: response.statusText, code: String(response.status), ...answer });
  return answer;
}

export const get = (path, signal) => call("GET", path, undefined, signal);

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The request as a line for a shell. */
export function curl(method, path, body) {
  const url = location.origin + "/api/v1" + path;
  const verb = method === "GET" ? "" : ` -X ${method}`;
  const data = body === undefined ? "" : ` -H 'Content-Type: application/json' -d ${quoted(JSON.stringify(body))}`;
  return `curl -s${verb} ${/[?&]/.test(url) ? quoted(url) : url}${data}`;
}

/** A verb of the command line, aimed at this node. */
export function mcc(verb) {
  const usual = ["http://127.0.0.1:8080", "http://localhost:8080"].includes(location.origin);
  return `mcc ${verb}${usual ? "" : ` --node ${location.origin}`}`;
}
