// Your own traffic, live: rows arrive by server-sent events, the filter is kept in the address, a message opens beside
// the list. The page works without this file; nothing here decides anything.

import { fetchPage } from "./page.js";
import { copyable } from "./small.js";

const page = document.getElementById("watch");
const list = document.getElementById("seen");
const filter = document.getElementById("filter");
const opened = document.getElementById("opened");
const state = document.getElementById("state");
const line = document.getElementById("line").content.firstElementChild;
const kept = Number(page.dataset.kept);
const FIELDS = ["text", "client", "realm", "outcome", "pinned"];

document.documentElement.classList.add("js");

// ── The filter ──────────────────────────────────────────────────────────────────────────────────────

const chosen = () => Object.fromEntries(new FormData(filter));

function query() {
  const all = chosen();
  const said = new URLSearchParams(FIELDS.filter((name) => all[name]).map((name) => [name, all[name]]));
  return said.size ? `?${said}` : "";
}

function fits(row, wanted, words) {
  const { realm, client, outcome, pinned } = row.dataset;
  if (wanted.realm && realm !== wanted.realm) return false;
  if (wanted.client && client !== wanted.client) return false;
  if (wanted.outcome && outcome !== wanted.outcome) return false;
  if (wanted.pinned && !pinned) return false;
  return !words || row.textContent.toLowerCase().includes(words);
}

function sift(rows = list.children) {
  const wanted = chosen();
  const words = wanted.text.trim().toLowerCase();
  for (const row of rows) row.hidden = !fits(row, wanted, words);
  count();
}

function count() {
  const all = list.children.length;
  const shown = list.querySelectorAll(":scope > :not([hidden])").length;
  document.getElementById("count").textContent = `${shown} of ${all} messages`;
  document.getElementById("none-fit").hidden = !all || shown > 0;
  document.getElementById("nothing").hidden = all > 0;
}

/** The address keeps what is looked at, and which message is open. */
function keepAddress() {
  const n = opened.querySelector("[data-opened]")?.dataset.opened;
  history.replaceState(null, "", `/tour/watch${n ? `/messages/${n}` : ""}${query()}`);
  for (const one of document.querySelectorAll("[data-har]"))
    one[one.action ? "action" : "href"] = `/tour/watch/traffic.har${query()}`;
}

filter.addEventListener("input", () => (sift(), keepAddress()));
filter.addEventListener("submit", (event) => event.preventDefault());

// ── Rows ────────────────────────────────────────────────────────────────────────────────────────────

const BREATH = 100; // milliseconds between two drawings: many messages come together, and the page stays quick
const here = new Map([...list.children].map((row) => [Number(row.dataset.n), row]));
let waiting = [];

/** Take rows in soon, all that came meanwhile together. */
function take(rows) {
  if (!rows.length) return;
  if (!waiting.length) setTimeout(() => requestAnimationFrame(draw), BREATH);
  waiting.push(...rows);
}

function draw() {
  const fresh = waiting.filter((one) => !here.has(one.n)).slice(-kept).map(drawn);
  waiting = [];
  fresh.reverse();
  const held = list.getBoundingClientRect().top < 0 ? document.documentElement.scrollHeight : 0;
  list.prepend(...fresh);
  for (let row = list.lastElementChild; row && list.children.length > kept; ) {
    const before = row.previousElementSibling;
    if (!row.dataset.pinned) here.delete(Number(row.dataset.n)), row.remove();
    row = before;
  }
  sift(fresh);
  if (held) scrollBy(0, document.documentElement.scrollHeight - held); // what is being read stays where it is
}

function drawn(one) {
  const row = line.cloneNode(true);
  Object.assign(row.dataset, { n: one.n, realm: one.realm, client: one.client, outcome: one.outcome, pinned: one.pinned ? "yes" : "" });
  row.className = `seen seen-${one.outcome} fresh`;
  const put = (name, text) => (row.querySelector(`[data-${name}]`).textContent = text);
  put("at", one.at);
  put("method", one.method);
  put("path", one.path);
  put("title", one.title);
  put("who", one.client || "no client named");
  put("where", one.realm);
  put("status", one.status || "no answer");
  put("checks", one.failed ? `${one.failed}? No.` : (one.checks ? `${one.checks} ${one.checks === 1 ? "check" : "checks"}` : ""));
  put("number", one.number);
  put("took", `${one.took_ms} ms`);
  put("pin", one.pinned ? "pinned" : "");
  put("again", one.again ? "again" : "");
  row.querySelector("a").href = `/tour/watch/messages/${one.n}`;
  knowClient(one.client);
  here.set(one.n, row);
  return row;
}

function knowClient(client) {
  const clients = document.getElementById("clients");
  if (client && ![...clients.options].some((one) => one.value === client)) clients.add(new Option(client));
}

// ── One message ─────────────────────────────────────────────────────────────────────────────────────

let asked = 0;

/** Open a message beside the list, as the server draws it; a `form` of ours may ask for more of it. */
async function open(n, { form, focus = false } = {}) {
  const mine = ++asked;
  const address = form ? new URL(form.action) : new URL(`/tour/watch/messages/${n}${query()}`, location);
  address.searchParams.set("part", "message");
  opened.setAttribute("aria-busy", "true");
  mark(n);
  try {
    const drawn = await fetchPage(address, form ? { method: "POST", body: new URLSearchParams(new FormData(form)) } : {});
    if (mine !== asked) return;
    const fresh = drawn.getElementById("opened");
    if (!fresh) throw new Error(drawn.querySelector("main p, main h1")?.parentElement.textContent.trim() || "The house said no.");
    opened.replaceChildren(...document.adoptNode(fresh).childNodes);
  } catch (error) {
    if (mine !== asked) return;
    const trouble = document.getElementById("trouble").content.cloneNode(true);
    trouble.querySelector("span").textContent = error instanceof TypeError ? "The house does not answer." : error.message;
    opened.replaceChildren(trouble);
  }
  opened.removeAttribute("aria-busy");
  document.getElementById("both").classList.add("watch-open");
  ready();
  opened.scrollTop = 0;
  keepAddress();
  if (focus) opened.querySelector("article")?.focus({ preventScroll: wide() });
  if (!wide()) opened.scrollIntoView({ block: "start" });
}

const wide = () => matchMedia("(min-width: 62rem)").matches;

function mark(n) {
  for (const link of list.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
  list.querySelector(`[data-n="${n}"] a`)?.setAttribute("aria-current", "true");
}

function ready() {
  copyable();
  for (const form of opened.querySelectorAll("form")) form.onsubmit = (event) => (event.preventDefault(), send(form));
}

async function send(form) {
  const n = opened.querySelector("[data-opened]").dataset.opened;
  if (form.hasAttribute("data-reveal")) return open(n, { form });
  const reply = await fetch(form.action, { method: "POST", headers: { accept: "application/json" }, body: new URLSearchParams(new FormData(form)) });
  const said = await reply.json();
  if (!reply.ok) return complain(form, said.error);
  if ("pinned" in said) pinned(n, said.pinned);
  await open(said.n, { focus: !("pinned" in said) });
}

function complain(form, text) {
  form.querySelector(".opened-trouble")?.remove();
  const said = Object.assign(document.createElement("p"), { className: "opened-trouble", textContent: text });
  said.setAttribute("role", "alert");
  form.append(said);
}

function pinned(n, is) {
  const row = list.querySelector(`[data-n="${n}"]`);
  if (!row) return;
  row.dataset.pinned = is ? "yes" : "";
  row.querySelector("[data-pin]").textContent = is ? "pinned" : "";
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(".seen-link, [data-open]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(link.dataset.open ?? link.parentElement.dataset.n);
});

// ── Keys ────────────────────────────────────────────────────────────────────────────────────────────

const KEYS = { j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), "/": look, p: pin, Escape: back, Enter: enter };

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if (typing && event.key === "Escape") return typing.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.startsWith("Arrow") && !event.target.closest("#seen")) return;
  if (event.key === "Enter" && event.target.closest("a, button, summary") && !event.target.closest(".seen-link")) return;
  if (KEYS[event.key]?.() !== false && KEYS[event.key]) event.preventDefault();
});

const shown = () => [...list.querySelectorAll(":scope > :not([hidden])")];

const focusedIn = (rows) => rows.findIndex((row) => row.contains(document.activeElement));

function step(way) {
  const rows = shown();
  const focused = focusedIn(rows);
  const current = focused >= 0 ? focused : rows.findIndex((row) => row.querySelector("[aria-current]"));
  const next = rows[current < 0 ? 0 : current + way];
  if (!next) return false;
  const link = next.querySelector("a");
  link.focus({ preventScroll: true });
  link.scrollIntoView({ block: "nearest" });
}

function enter() {
  const row = document.activeElement.closest?.(".seen") ?? list.querySelector("[aria-current]")?.closest(".seen");
  if (!row) return false;
  open(row.dataset.n, { focus: true });
}

function look() {
  document.getElementById("look").select();
}

function pin() {
  const row = document.activeElement.closest?.(".seen");
  const n = row?.dataset.n ?? opened.querySelector("[data-opened]")?.dataset.opened;
  if (!n) return false;
  fetch(`/tour/watch/messages/${n}/pin`, { method: "POST", headers: { accept: "application/json" } })
    .then((reply) => reply.json())
    .then((said) => "pinned" in said && (pinned(n, said.pinned), renamePin(n, said.pinned)));
}

function renamePin(n, is) {
  const button = opened.querySelector(`[data-opened="${n}"] [data-quiet] button`);
  if (button) button.textContent = is ? "Let go" : "Pin";
}

function back() {
  const row = list.querySelector("[aria-current]");
  (row ?? list.querySelector("a"))?.focus();
}

// ── News ────────────────────────────────────────────────────────────────────────────────────────────

let lost;

function follow() {
  const source = new EventSource(`/tour/watch/events?after=${encodeURIComponent(page.dataset.at)}`);
  source.onopen = () => (clearTimeout(lost), say());
  source.onerror = () => {
    clearTimeout(lost);
    lost = setTimeout(() => (state.innerHTML = '<span class="lamp lamp-lost"></span> The house does not answer; trying again'), 2500);
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
  };
  source.onmessage = ({ data, lastEventId }) => {
    const { on, rows } = JSON.parse(data);
    page.dataset.at = lastEventId;
    if (on !== Boolean(page.dataset.on)) return location.reload();
    take(rows);
  };
  source.addEventListener("anew", () => (list.replaceChildren(), here.clear(), count())); // the house was opened again: its numbers begin anew
  addEventListener("pagehide", () => source.close(), { once: true });
}

function say() {
  state.innerHTML = page.dataset.on ? '<span class="lamp lamp-on"></span> Watching' : '<span class="lamp"></span> Not watching';
}

document.querySelector("[data-keys]").hidden = false;
document.querySelector("[data-without-script]").hidden = true;
copyable();
sift();
if (opened.querySelector("article")) ready();
follow();
