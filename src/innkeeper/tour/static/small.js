// Small comforts: copying, pictures to take along, and how long the card still holds.

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

/** Draw a picture's address as PNG, twice as large as it is, and hand it to whoever pressed the button. */
export function picturable() {
  for (const button of document.querySelectorAll("[data-png]")) {
    button.hidden = false;
    button.onclick = async () => {
      const picture = new Image();
      picture.src = button.dataset.png;
      await picture.decode();
      const canvas = document.createElement("canvas");
      canvas.width = picture.naturalWidth * 2;
      canvas.height = picture.naturalHeight * 2;
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const link = document.createElement("a");
      link.download = "replay.png";
      link.href = canvas.toDataURL("image/png");
      link.click();
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
