// Tells what a web console shows: whenever the page changes, each row's state is held against what it was.
([rules, refusedAt]) => {
  const states = rules.map(() => new Map());
  let refused = "";
  const read = (row, value) => {
    const element = value.css ? row.querySelector(value.css) : row;
    if (!element) return null;
    const text = value.attribute ? element.getAttribute(value.attribute) : element.textContent.trim();
    if (text === null || text === "") return null;
    return value.is === "integer" ? Number.parseInt(text, 10) : text;
  };
  const look = () => {
    rules.forEach((rule, index) => {
      const now = new Map();
      for (const row of document.querySelectorAll(rule.rows)) {
        const key = row.getAttribute(rule.key);
        const state = row.getAttribute(rule.state);
        if (key === null || state === null) continue;
        now.set(key, state);
        if (states[index].get(key) === state || (state === "" && !states[index].has(key))) continue;
        const kind = rule.events[state] ?? (state === "" ? undefined : rule.events["*"]);
        if (!kind) continue;
        const data = {};
        for (const [name, value] of Object.entries(rule.data)) {
          const found = read(row, value);
          if (found !== null && !Number.isNaN(found)) data[name] = found;
        }
        window.iccsShown(kind, data);
      }
      states[index] = now;
    });
    const reason = document.querySelector(refusedAt)?.textContent.trim() ?? "";
    if (reason && reason !== refused) window.iccsShown("console.refused", { reason });
    refused = reason;
  };
  new MutationObserver(look).observe(document.documentElement, { subtree: true, childList: true, attributes: true, characterData: true });
  look();
}
