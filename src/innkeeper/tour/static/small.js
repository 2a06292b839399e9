// Small comforts: copying, and how long the card still holds.

/** Show the copy buttons and let them copy. */
export function copyable() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    const label = (button.dataset.label ??= button.textContent);
    button.onclick = async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = label), 1500);
    };
  }
}

/** Show the time left beside a moment, once a second. */
export function countDown() {
  for (const place of document.querySelectorAll("[data-countdown]")) {
    const left = Number(place.dataset.countdown) - Math.floor(Date.now() / 1000);
    place.textContent = left > 0 ? `in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : "expired";
  }
}
setInterval(countDown, 1000);
