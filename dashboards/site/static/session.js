// Sign-in by the pool's managed login: an authorization code with PKCE. A token lives as long as its tab, and an hour.
const HELD = "penstock.session";
const ASKED = "penstock.sign-in";

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = (count) => base64url(crypto.getRandomValues(new Uint8Array(count)));

function claims(token) {
  const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0))));
}

// Who is signed in, or null. What the page shows by it is convenience: the API decides by the token itself.
export function current() {
  const held = JSON.parse(sessionStorage.getItem(HELD) || "null");
  if (!held || held.until <= Date.now()) return null;
  const isOperator = held.groups.includes("operators");
  return { ...held, isOperator, isViewer: isOperator || held.groups.includes("viewers") };
}

export function forget() {
  sessionStorage.removeItem(HELD);
}

// Leave for the managed login; `back` is the route to come back to.
export async function signIn(config, back) {
  const [verifier, state] = [random(48), random(24)];
  sessionStorage.setItem(ASKED, JSON.stringify({ verifier, state, back }));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    response_type: "code", client_id: config.client_id, redirect_uri: config.redirect, scope: "openid email profile", state,
    code_challenge_method: "S256", code_challenge: base64url(new Uint8Array(hash)),
  });
  location.assign(`${config.login}/oauth2/authorize?${query}`);
}

// Take the code that the managed login came back with, if it did. Throws Error with words for people.
export async function complete(config) {
  const given = new URLSearchParams(location.search);
  if (!given.has("code") && !given.has("error")) return;
  const asked = JSON.parse(sessionStorage.getItem(ASKED) || "null");
  sessionStorage.removeItem(ASKED);
  history.replaceState(null, "", asked?.back ? `/${asked.back}` : "/");
  if (given.has("error")) throw new Error("The sign-in was not finished.");
  if (!asked || asked.state !== given.get("state")) throw new Error("This sign-in was begun in another tab, or twice.");
  const body = new URLSearchParams({
    grant_type: "authorization_code", client_id: config.client_id, redirect_uri: config.redirect,
    code: given.get("code"), code_verifier: asked.verifier,
  });
  const answer = await fetch(`${config.login}/oauth2/token`, { method: "POST", body });
  if (!answer.ok) throw new Error("The sign-in took too long, or was used already.");
  const { access_token: token, id_token: person } = await answer.json();
  const { exp, username, "cognito:groups": groups = [] } = claims(token);
  const { name, email } = claims(person);
  sessionStorage.setItem(HELD, JSON.stringify({ token, until: exp * 1000, name: name || email || username, groups }));
}

export function signOut(config) {
  forget();
  const query = new URLSearchParams({ client_id: config.client_id, logout_uri: config.redirect });
  location.assign(`${config.logout}?${query}`);
}
