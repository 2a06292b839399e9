// Pages are drawn by the server alone. A script asks for a page and takes over the parts that changed.

/** The page at `path`, or the one a form leads to. Throws where the house does not answer. */
export async function fetchPage(path, options = {}) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return Object.assign(page, { address: response.url });
}

/** Take over the parts with these ids. One that the new page lacks is left alone; what was unfolded stays so. */
export function swap(page, ids) {
  const unfolded = [...document.querySelectorAll("details[id][open]")].map((one) => one.id);
  for (const id of ids) {
    const fresh = page.getElementById(id);
    const old = document.getElementById(id);
    if (fresh && old) takeOver(document.adoptNode(fresh), old);
  }
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
}

/** A part that speaks up stays in the page, so that what is new in it is read out; any other is put in the old one's place. */
function takeOver(fresh, old) {
  if (old.getAttribute("role") !== "status") return old.replaceWith(fresh);
  old.className = fresh.className;
  old.replaceChildren(...fresh.childNodes);
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export const pause = (ms) => new Promise((done) => setTimeout(done, calm() ? 0 : ms));
