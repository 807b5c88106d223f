// The debrief's replay: marks the events as they came, from a moment on, with what was heard.
const form = document.getElementById("replay");
const rows = [...document.querySelectorAll("#events tbody tr")];
const heard = document.getElementById("heard");
let timer = 0;

function stop() {
  clearInterval(timer);
  if (heard) heard.pause();
  for (const row of rows) row.removeAttribute("aria-current");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  stop();
  const from = Number(document.getElementById("moment").value) || 0;
  const began = performance.now();
  if (heard) {
    heard.src = `${heard.dataset.from}?at=${from}`;
    heard.play().catch(() => {});
  }
  const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
  timer = setInterval(() => {
    const now = from + (performance.now() - began) / 1000;
    let current = null;
    for (const row of rows) {
      const at = Number(row.dataset.at);
      row.removeAttribute("aria-current");
      if (at >= from && at <= now) current = row;
    }
    if (current) {
      current.setAttribute("aria-current", "true");
      current.scrollIntoView({ block: "nearest", behavior: quiet ? "auto" : "smooth" });
    }
    if (!rows.length || now > Number(rows[rows.length - 1].dataset.at) + 2) clearInterval(timer);
  }, 200);
});
document.getElementById("stop").addEventListener("click", stop);
