// The tour with scripts: doors answer without leaving the page, messages open beside the diagram, news arrives
// by itself. Every page works without this file; nothing here decides anything.

import { knockable, setClocks, showHotel } from "./scene.js";
import { openHop, sideBySide, wireUp } from "./wire.js";
import { fetchPage, swap } from "./page.js";
import { actable, playAtOnce } from "./acts.js";
import { follow } from "./news.js";
import { countDown, copyable, picturable } from "./small.js";

document.documentElement.classList.add("js");

const REGIONS = ["verdict", "turns", "clock", "face", "answer", "tally", "hops", "messages", "tokens"];

function begin() {
  setClocks();
  countDown();
  copyable();
  picturable();
  wireUp();
  knockable(takeAnswer);
  actable(wireUpAgain);
  for (const aside of document.querySelectorAll("[data-aside]")) aside.hidden = false;
  follow(takeNews);
}

/** A door has answered: show what it said and what became of the hotel, and keep the rest of the page as it is. */
async function takeAnswer(page) {
  await showHotel(page);
  swap(page, REGIONS);
  document.querySelector(".answer")?.classList.add("fresh");
  const count = document.getElementById("hop-count");
  if (count) count.textContent = document.querySelectorAll(".hop").length;
  setClocks();
  countDown();
  wireUp();
  copyable();
  picturable();
  if (sideBySide()) openHop(document.querySelector(".hop:last-child")?.dataset.n, { quietly: true });
}

function wireUpAgain() {
  setClocks();
  countDown();
  wireUp();
  copyable();
  picturable();
}

/** Something happened elsewhere, in another tab or a terminal: draw the visit anew. */
async function takeNews(path) {
  const page = await fetchPage(path);
  const before = document.querySelectorAll(".hop").length;
  swap(page, ["nav", "visit"]);
  document.title = page.title;
  begin();
  for (const hop of [...document.querySelectorAll(".hop")].slice(before)) hop.classList.add("arrives");
}

begin();
playAtOnce();
