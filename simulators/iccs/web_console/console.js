// The operator's console in a browser: shows the position's events, and asks the control interface for what is pressed.
const position = decodeURIComponent(location.pathname.split("/").pop());
const base = `/v1/positions/${encodeURIComponent(position)}`;
const at = (id) => document.getElementById(id);
const ROWS_AT_MOST = 50;
const path = encodeURIComponent;

async function ask(method, route, body) {
  at("refused").textContent = "";
  const answer = await fetch(`${base}/${route}`, {
    method, headers: { "Content-Type": "application/json" }, body: body === undefined ? null : JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) at("refused").textContent = typeof said.detail === "string" ? said.detail : `refused (${answer.status})`;
  return answer.ok ? said : null;
}
const act = (route, body = {}) => ask("POST", route, body);

function button(text, name, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

// A row by what it is about: made once, then changed in place; the oldest goes where there are too many.
function row(list, key, value, text, buttons = () => []) {
  const rows = at(list);
  let found = [...rows.children].find((each) => each.dataset[key] === String(value));
  if (!found) {
    found = document.createElement("li");
    found.dataset[key] = value;
    const told = document.createElement("span");
    found.append(told, ...buttons(found));
    rows.prepend(found);
    while (rows.children.length > ROWS_AT_MOST) rows.lastElementChild.remove();
  }
  if (text !== null) found.querySelector("span").textContent = text;
  return found;
}

function set(element, values) {
  for (const [name, value] of Object.entries(values)) {
    const text = value === null || value === undefined ? "" : String(value);
    if (element.dataset[name] !== text) element.dataset[name] = text;
  }
}

function group(name) {
  return row("talkgroups", "talkgroup", name, name, (element) => {
    const talk = button("Press to talk", "ptt", () => {});
    talk.addEventListener("pointerdown", () => act("key", { talkgroup: name }));
    talk.addEventListener("pointerup", () => act("unkey"));
    const talks = (event) => ["Enter", " "].includes(event.key) && !event.repeat;
    talk.addEventListener("keydown", (event) => { if (talks(event)) act("key", { talkgroup: name }); });
    talk.addEventListener("keyup", (event) => { if (talks(event)) act("unkey"); });
    return [talk,
      button("Headset", "select", () => act("select", { talkgroup: name, selected: true })),
      button("Loudspeaker", "unselect", () => act("select", { talkgroup: name, selected: false }))];
  });
}

function call(kind, data) {
  if (!data.call) return;
  const element = row("calls", "call", data.call, null, () => [button("Answer", "answer", () => act("answer", { call: data.call }))]);
  if (data.queue !== undefined) set(element, { queue: data.queue });
  if (data.cli !== undefined) set(element, { cli: data.cli });
  set(element, { state: kind, reason: data.reason, to: data.to });
  element.querySelector("span").textContent = `${element.dataset.queue || "line"} ${element.dataset.cli || "withheld"} ${kind} `;
}

const FLOOR = { requested: 1, granted: 1, refused: 1, released: 1, lost: 1, queued: 1, timed_out: 1 };
let shown = 0;

function told(kind, data) {
  const [what, how] = kind.split(".");
  if (kind === "call.dtmf") set(row("messages", "message", ++shown, `key ${data.digit}`), { call: data.call, digit: data.digit, state: "key" });
  else if (what === "call") call(how, data);
  else if (what === "ptt" && how in FLOOR && data.talkgroup) set(group(data.talkgroup), { reason: data.reason, floor: how });
  else if (kind === "talker.shown") {
    const who = data.issi ?? data.mcptt_id ?? data.alias;
    set(group(data.talkgroup), { alias: data.alias, issi: data.issi, mcpttId: data.mcptt_id, talker: who });
  }
  else if (kind === "talker.ended" || kind === "talkgroup.idle") set(group(data.talkgroup), { issi: "", mcpttId: "", talker: "" });
  else if (kind === "talkgroup.selected") set(group(data.talkgroup), { speaker: "headset" });
  else if (kind === "talkgroup.unselected") set(group(data.talkgroup), { speaker: "loudspeaker" });
  else if (what === "patch") {
    const element = row("patches", "patch", data.patch, data.talkgroups.join(" with "), () => [button("Take apart", "end", () => ask("DELETE", `patches/${path(data.patch)}`))]);
    set(element, { by: data.by, state: how });
  } else if (what === "emergency") {
    const about = `emergencies/${path(data.emergency)}`;
    const element = row("emergencies", "emergency", data.emergency, `${data.alias} on ${data.talkgroup} ${how} `, () => [
      button("Acknowledge", "acknowledge", () => act(`${about}/acknowledge`)), button("Clear", "clear", () => act(`${about}/clear`))]);
    set(element, { issi: data.issi, mcpttId: data.mcptt_id, alias: data.alias, talkgroup: data.talkgroup, by: data.acknowledged_by, state: how });
  } else if (kind === "status.shown" || kind === "sds.shown") {
    set(row("messages", "message", ++shown, `${data.issi ?? data.mcptt_id}: ${data.text ?? data.value}`), { issi: data.issi, mcpttId: data.mcptt_id, text: data.text, value: data.value, state: what });
  } else if (what === "incident" && data.incident) {
    const about = `incidents/${path(data.incident)}`;
    const element = row("incidents", "incident", data.incident, `${data.incident} ${data.title || ""} ${how} `, () => [
      button("Hand over", "hand-over", () => act(`${about}/hand-over`, { to: at("incident-to").value })), button("Close", "close", () => act(`${about}/close`))]);
    set(element, { owner: data.owner, by: data.by, call: data.incident_call, cli: data.cli, state: how });
  } else if (kind === "adviser.state") set(at("seat"), { duty: data.state });
}

const KINDS = { telephone_in: "caller", telephone_out: "said to caller", radio_rx: "radio", radio_tx: "said on", ambience: "open microphone", radio_call: "radio call" };

async function replay() {
  const legs = await ask("GET", "instant-replay");
  if (!legs) return;
  at("replays").replaceChildren();
  for (const leg of legs.slice(0, ROWS_AT_MOST).reverse()) {
    const who = leg.talkgroup || leg.cli || leg.position || "";
    const told = `${KINDS[leg.kind] || leg.kind} ${who} ${leg.ended === null ? "goes on" : `${Math.round(leg.seconds)} s`} `;
    const element = row("replays", "leg", leg.leg, told, () => [button("Play", "play", () => {
      at("heard").src = `${base}/recorded/${path(leg.leg)}`;
      at("heard").play().catch(() => { at("refused").textContent = "This can't be played."; });
    })]);
    set(element, { kind: leg.kind });
  }
}

async function logIn() {
  const seat = await act("login");
  if (!seat) return;
  for (const name of seat.talkgroups) {
    group(name);
    for (const id of ["one", "two"]) at(id).append(new Option(name, name));
  }
  const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}${base}/events`);
  socket.addEventListener("message", (message) => { const event = JSON.parse(message.data); told(event.kind, event.data); });
  socket.addEventListener("close", () => { at("refused").textContent = "The connection is lost."; set(at("seat"), { state: "lost" }); });
  socket.addEventListener("open", () => set(at("seat"), { jack: seat.jack, state: "here" }));
}

at("login").addEventListener("click", logIn);
at("logout").addEventListener("click", async () => { if (await act("logout")) set(at("seat"), { state: "away" }); });
for (const each of document.querySelectorAll("[data-act]")) each.addEventListener("click", () => act(each.dataset.act));
for (const each of document.querySelectorAll("[data-duty]")) each.addEventListener("click", () => act("state", { state: each.dataset.duty }));
for (const each of document.querySelectorAll("[data-to]")) {
  each.addEventListener("click", () => {
    const to = at("to").value;
    act(each.dataset.to, each.dataset.to === "dial" ? { number: to } : to ? { to } : {});
  });
}
at("replay").addEventListener("click", replay);
at("next").addEventListener("click", () => act("answer"));
at("dtmf").addEventListener("click", () => act("dtmf", { digits: at("digits").value }));
at("patch").addEventListener("click", () => act("patches", { talkgroups: [at("one").value, at("two").value] }));
at("open-incident").addEventListener("click", () => act("incidents", { title: at("title").value }));
