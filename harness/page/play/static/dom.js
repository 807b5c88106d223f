// Elements of the page: found by their id, and made.
export const at = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [kind, handler] of Object.entries(value)) made.addEventListener(kind, handler);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((each) => each !== null));
  return made;
}

export const safe = (text) => String(text).replace(/[^A-Za-z0-9_-]/g, "-");
export const button = (id, text, click, more = {}) => el("button", { type: "button", id, on: { click }, ...more }, text);
