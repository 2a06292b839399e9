// The hotel moves: the lift, who stands in it, the doors and their lamps. All by attributes; scene.css draws them.

import { fetchPage, pause } from "./page.js";

const PLACES = {
  desk: ["1", "left"],
  "room-305": ["3", "left"], vip: ["3", "right"], "room-204": ["2", "left"], gym: ["2", "right"], pool: ["1", "right"], staff: ["1", "left"],
};

/** Let the buttons of the hotel try their doors; `answered` is given the page that tells what the door said. */
export function knockable(answered) {
  const form = document.getElementById("knock");
  if (!form || form.dataset.ready) return;
  form.dataset.ready = "yes";
  for (const radio of form.querySelectorAll("[name=card]")) radio.addEventListener("change", () => holdCard(form));
  holdCard(form);
  form.addEventListener("submit", async (event) => {
    if (form.dataset.plain) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    try {
      await knock(form, event.submitter, answered);
    } catch {
      form.dataset.plain = "yes"; // the house is away, or was opened anew: let the browser say so
      form.requestSubmit(event.submitter);
    } finally {
      delete form.dataset.busy;
    }
  });
}

async function knock(form, button, answered) {
  if (button.name === "turn") return turn(button, answered);
  const body = new URLSearchParams({ card: form.elements.card.value, door: button.value });
  const asked = fetchPage(form.action, { method: "POST", body });
  await walkTo(button.value);
  const page = await asked;
  if (!page.getElementById("hotel")) throw new Error("another page");
  await answered(page);
}

/** Let something happen: a turn of the clock, the keys or the card. */
async function turn(button, answered) {
  const page = await fetchPage(button.formAction, { method: "POST", body: new URLSearchParams({ turn: button.value }) });
  if (!page.getElementById("turns")) throw new Error("another page");
  await answered(page);
  document.querySelector(`.turn[value="${button.value}"]`)?.focus({ preventScroll: true });
}

/** Bring whoever is seen to a door, or to the desk, and let its reader blink. */
export async function walkTo(door) {
  const hotel = document.getElementById("hotel");
  const [floor, side] = PLACES[door];
  const { floor: floorNow, inside } = hotel.dataset;
  hotel.classList.add("moves");
  hotel.dataset.inside = "no";
  if (inside === "yes") await pause(520);
  hotel.dataset.floor = floor;
  hotel.dataset.side = side;
  hotel.dataset.at = door;
  if (floorNow !== floor) await pause(700);
  for (const part of hotel.querySelectorAll(`.doorway-${door}`)) part.classList.add("reading");
  hotel.classList.add("reads");
  await pause(420);
}

/** Take over from `page` where everyone is and which doors have opened. */
export async function showHotel(page) {
  const hotel = document.getElementById("hotel");
  for (const lamp of hotel.querySelectorAll(".reading")) lamp.classList.remove("reading");
  hotel.classList.remove("reads");
  for (const { name, value } of page.getElementById("hotel").attributes) {
    if (name.startsWith("data-")) hotel.setAttribute(name, value);
  }
  for (const plate of page.querySelectorAll("button.spot")) takePlate(plate);
  if (hotel.dataset.inside === "no") {
    hotel.classList.add("shakes");
    await pause(380);
    hotel.classList.remove("shakes");
  }
}

function takePlate(fresh) {
  const plate = document.querySelector(`button.spot[value="${fresh.value}"]`);
  plate.dataset.state = fresh.dataset.state;
  plate.querySelector("[data-said]").textContent = fresh.querySelector("[data-said]").textContent;
}

function holdCard(form) {
  document.getElementById("hotel").dataset.card = form.elements.card.value;
}

/** The clock in the gable shows the time of this machine. */
export function setClocks() {
  for (const clock of document.querySelectorAll("[data-clock]:not([data-moved])")) {
    const now = new Date();
    const minutes = now.getHours() * 60 + now.getMinutes();
    clock.querySelector(".hand-hour").setAttribute("transform", `rotate(${minutes / 2})`);
    clock.querySelector(".hand-minute").setAttribute("transform", `rotate(${minutes * 6})`);
  }
}
setInterval(setClocks, 20_000);
