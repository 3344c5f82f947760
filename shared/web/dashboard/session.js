/** Who uses the dashboard: someone with a function key, or someone who has signed in with Entra, and what that one may do. */
import * as api from "./api.js";
import { byId, write } from "./elements.js";

/** This tab was sent to sign in, and has not come back signed in yet: it is not sent again by itself. */
const TRIED = "relaySignInTried";
const READERS = ["Updates.Read", "Updates.Operate"];
const OPERATORS = ["Updates.Operate"];

/** @type {Session | null} */
let known = null;

/** Somebody has to sign in; no function key helps. */
export class SignInNeeded extends api.KeyNeeded {}

/** Ask how to sign in and who has, once; where nobody has, go and sign in. Raise `SignInNeeded` then. */
export async function learn() {
  known ??= await api.session();
  if (known.authentication === "entra" && !known.signedIn) {
    known = null;
    if (sessionStorage.getItem(TRIED) === null) signIn();
    throw new SignInNeeded("You are not signed in.");
  }
  sessionStorage.removeItem(TRIED);
  show(known.signedIn ?? null);
}

/** Whether the API asks for a function key, rather than for someone who has signed in. */
export const usesKeys = () => known?.authentication === "functionKeys";
/** Whether this one may read everything, and not only what it has sent. */
export const mayRead = () => may(READERS);
/** Whether this one may cancel and replay. */
export const mayOperate = () => may(OPERATORS);

/** The session has ended: ask again at the next look. */
export function forget() {
  known = null;
}

/** Go to the sign-in page of App Service authentication, and come back to this view. */
export function signIn() {
  sessionStorage.setItem(TRIED, "1");
  const here = `${location.pathname}${location.search}${location.hash}`;
  location.assign(`${authentication("login/aad")}?post_login_redirect_uri=${encodeURIComponent(here)}`);
}

/** @param {string[]} roles */
function may(roles) {
  return usesKeys() || (known?.signedIn?.roles ?? []).some((role) => roles.includes(role));
}

/** @param {string} path */
function authentication(path) {
  return new URL(`../../.auth/${path}`, import.meta.url);
}

/** @param {SignedIn | null} one */
function show(one) {
  byId("who").hidden = byId("sign-out").hidden = one === null;
  byId("sign-out").href = String(authentication("logout"));
  write(byId("who"), one === null ? "" : one.name || one.id);
  byId("to-audit").hidden = !mayRead();
  byId("overview").hidden = byId("updates").hidden = !mayRead();
  byId("replay-matching").hidden = !mayOperate();
  byId("no-role").hidden = mayRead();
  write(byId("no-role-text"), explained(one));
}

/** @param {SignedIn | null} one */
function explained(one) {
  const sends = one?.roles.includes("Updates.Send");
  const has = sends ? "Your role Updates.Send lets you send updates, and read those that you have sent." : "You have none of this relay's roles.";
  return `${has} To see all updates here, ask an administrator for the role Updates.Read; to cancel and replay too, for Updates.Operate.`;
}
