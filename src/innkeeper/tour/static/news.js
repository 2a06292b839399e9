// While a guest is away at the front desk, this page hears of every message that passes.

let source;

/** Follow a visit until it has ended; `told` is given the page's path whenever the record has changed. */
export function follow(told) {
  source?.close();
  const visit = document.getElementById("visit");
  if (!visit || !(["ready", "away"].includes(visit.dataset.stage) || visit.dataset.flow === "walk")) return;
  source = new EventSource(`/tour/visits/${visit.dataset.visit}/events`);
  source.onmessage = ({ data }) => {
    if (Number(data) <= Number(visit.dataset.version)) return;
    source.close();
    told(`/tour/visits/${visit.dataset.visit}`);
  };
}

addEventListener("pagehide", () => source?.close());
