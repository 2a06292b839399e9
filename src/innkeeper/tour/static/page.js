// Pages are drawn by the server alone. A script asks for a page and takes over the parts that changed.

/** The page at `path`, or the one a form leads to. Throws where the house does not answer. */
export async function fetchPage(path, options = {}) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** Take over the parts with these ids. One that the new page lacks is left alone; what was unfolded stays so. */
export function swap(page, ids) {
  const unfolded = [...document.querySelectorAll("details[id][open]")].map((one) => one.id);
  for (const id of ids) {
    const fresh = page.getElementById(id);
    const old = document.getElementById(id);
    if (fresh && old) old.replaceWith(document.adoptNode(fresh));
  }
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export const pause = (ms) => new Promise((done) => setTimeout(done, calm() ? 0 : ms));
