// A chapter's acts: each is played by the house when its button is pressed; the page stays where it is.

import { fetchPage, pause, swap } from "./page.js";
import { showHotel, walkTo } from "./scene.js";

const REGIONS = ["nav", "verdict", "clock", "face", "controls", "acts", "remember", "wire-region", "tokens-region"];
const BREATH = 1100;

let playing = 0;

/** Let the chapter's buttons play without leaving the page; `played` is called after each act. */
export function actable(played) {
  for (const form of document.querySelectorAll("form[data-acts]")) {
    if (form.dataset.ready) continue;
    form.dataset.ready = "yes";
    form.addEventListener("submit", async (event) => {
      if (form.dataset.plain) return;
      event.preventDefault();
      const mine = ++playing;
      const everything = event.submitter?.value === "all";
      try {
        await go(form, played);
        while (everything && playing === mine && document.getElementById("next")) {
          await pause(BREATH);
          await go(document.querySelector("form[data-acts]"), played);
        }
      } catch {
        form.dataset.plain = "yes"; // the house is away, or was opened anew: let the browser say so
        form.requestSubmit(event.submitter);
      }
    });
  }
}

async function go(form, played) {
  form.classList.add("busy");
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  const asked = fetchPage(form.action, { method: "POST", body: new URLSearchParams() });
  const upcoming = document.querySelector(".act-next") ?? document.querySelector(".act");
  if (document.querySelector(".act-done")) await walkTo(upcoming.dataset.door || "desk");
  const page = await asked;
  if (!page.getElementById("acts")) throw new Error("another page");
  await showHotel(page);
  swap(page, REGIONS);
  document.title = page.title;
  history.replaceState(null, "", page.address.split("#")[0]);
  const fresh = [...document.querySelectorAll(".act-done")].at(-1);
  fresh?.classList.add("fresh");
  actable(played);
  played();
  (document.getElementById("next") ?? document.getElementById("onward") ?? document.getElementById("begin"))?.focus({ preventScroll: true });
  fresh?.scrollIntoView({ block: "nearest" });
}

/** A link with ?play plays the chapter as soon as the page is there. */
export function playAtOnce() {
  if (new URLSearchParams(location.search).has("play")) document.getElementById("play-all")?.click();
}
