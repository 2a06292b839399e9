// What the generator's script puts beside each block of code is a landmark, and landmarks have names of their own; what it
// puts round a wide table is scrolled sideways, by keyboard, too.
new MutationObserver(() => {
  document.querySelectorAll("nav.md-code__nav:not([aria-label])").forEach((beside) => {
    const button = beside.querySelector("[data-clipboard-target]");
    if (button) beside.setAttribute("aria-label", `Code ${button.dataset.clipboardTarget.match(/\d+/)}`);
  });
  document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])").forEach((around) => {
    around.tabIndex = 0;
  });
}).observe(document.documentElement, { childList: true, subtree: true });
