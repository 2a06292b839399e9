// The sequence diagram: one message is open at a time, by click, by arrow key, or one after the other.

import { pause } from "./page.js";

let playing = 0;

/** Make the diagram's rows open their messages beside it. Safe to call again after parts were replaced. */
export function wireUp() {
  const hops = [...document.querySelectorAll(".hop")];
  if (!hops.length) return;
  for (const hop of hops) {
    if (hop.dataset.ready) continue;
    hop.dataset.ready = "yes";
    hop.querySelector("a").addEventListener("click", (event) => {
      event.preventDefault();
      stop();
      openHop(hop.dataset.n, { reveal: true });
    });
  }
  for (const link of document.querySelectorAll("[data-open-hop]")) link.onclick = () => openHop(link.dataset.openHop, { reveal: true });
  const list = document.getElementById("hops");
  list.onkeydown = step;
  tools();
  const first = fromAddress() ?? (sideBySide() ? hops[0].dataset.n : undefined);
  if (first && !document.querySelector(".message.open")) openHop(first, { quietly: true });
}

/** Open a message. `quietly` leaves focus and scrolling alone; `reveal` brings it into sight on narrow windows. */
export function openHop(n, { quietly = false, reveal = false } = {}) {
  const message = document.getElementById(`hop-${n}`);
  if (!message) return;
  for (const other of document.querySelectorAll(".message.open")) other.classList.remove("open");
  for (const link of document.querySelectorAll(".hop-link[aria-current]")) link.removeAttribute("aria-current");
  const row = document.querySelector(`.hop[data-n="${n}"]`);
  const link = row.querySelector(".hop-link");
  (sideBySide() ? document.getElementById("messages") : row).append(message);
  message.classList.add("open");
  link.setAttribute("aria-current", "true");
  message.parentElement.scrollTop = 0;
  if (quietly) return;
  history.replaceState(null, "", `#hop-${n}`);
  link.scrollIntoView({ block: reveal && !sideBySide() ? "start" : "nearest" });
}

/** Whether the window is wide enough for a message to stand beside the diagram; else it opens under its row. */
export function sideBySide() {
  return matchMedia("(min-width: 62rem)").matches;
}

function fromAddress() {
  return location.hash.match(/^#hop-(\d+)$/)?.[1];
}

function step(event) {
  const way = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
  const row = event.target.closest(".hop");
  if (!way || !row) return;
  event.preventDefault();
  const next = way > 0 ? row.nextElementSibling : row.previousElementSibling;
  if (!next) return;
  next.querySelector("a").focus();
  openHop(next.dataset.n);
}

function tools() {
  const play = document.querySelector("[data-play]");
  if (!play) return;
  play.hidden = false;
  document.querySelector("[data-keys]").hidden = false;
  play.onclick = () => (playing ? stop() : start(play));
}

async function start(button) {
  const mine = ++playing;
  button.textContent = "Stop";
  for (const hop of document.querySelectorAll(".hop")) {
    if (playing !== mine) return;
    openHop(hop.dataset.n);
    hop.classList.remove("arrives");
    void hop.offsetWidth; // lets the arrow draw itself again
    hop.classList.add("arrives");
    await pause(2400);
  }
  stop();
}

function stop() {
  playing = 0;
  const button = document.querySelector("[data-play]");
  if (button) button.textContent = "Play";
}
