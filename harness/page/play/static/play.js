// The console in the browser: shows what the server tells, and asks it for what the person does.
import { Asked } from "./asked.js";
import { at, button, el, safe } from "./dom.js";
import { Sound } from "./sound.js";

const root = document.getElementById("play");
const pages = `/play/${root.dataset.playing}`;
const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${pages}`;
const AGAIN_MS = [500, 1000, 2000, 4000];
let socket = null;
let state = null;
let clockLead = 0;   // the run's time less the browser's, in seconds
let announced = 0;
let tries = 0;
let talkgroup = "";
const together = new Set();   // talkgroups that are talked on, too
let talking = false;
let spokeFor = "";
const sound = new Sound(base, (text) => { at("sound-told").textContent = text; });

// What is sent

function act(name, given = {}) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ do: name, with: given }));
  else trouble("Not connected: nothing was done.");
}

function trouble(text) {
  at("trouble").textContent = text;
  at("trouble").hidden = !text;
}

// The connection

function connect() {
  socket = new WebSocket(`${base}/console`);
  socket.addEventListener("open", () => { tries = 0; trouble(""); });
  socket.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    if (message.kind === "state") show(message);
    else if (message.kind === "refused") trouble(message.reason);
    else if (message.kind === "done") {
      trouble("");
      asked.done(message.act);
    }
  });
  socket.addEventListener("close", (event) => {
    if (state && state.phase === "over") return;
    const told = event.reason ? `: ${event.reason}` : "";
    if (event.code === 1008) { trouble(`The server let this window go${told}`); return; }
    const wait = AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)];
    trouble(`The connection is lost${told}. Trying again; your seat is kept for two minutes.`);
    setTimeout(connect, wait);
  });
}

// What is shown: each part is made anew only where it has changed, so that the focus stays where it is

const drawn = new Map();
function part(name, value, draw) {
  const text = JSON.stringify(value);
  if (drawn.get(name) === text) return;
  drawn.set(name, text);
  const focused = document.activeElement && document.activeElement.id;
  draw(value);
  if (focused && document.activeElement !== at(focused) && at(focused)) at(focused).focus();
}

function show(next) {
  state = next;
  clockLead = state.now - performance.now() / 1000;
  if (state.phase === "over" && state.attempt) {
    location.assign(`/play/${root.dataset.playing}/debrief`);
    return;
  }
  root.dataset.phase = state.phase;
  const phases = {
    starting: "Your control room is being set up …", ready: "Ready.", playing: "Playing.",
    over: `It is over: ${state.error || "there is nothing to debrief"}`,
  };
  at("phase").textContent = state.holder ? phases[state.phase]
    : `${state.held_by} has this seat in another window. You look on.`;
  const held = state.pace.held_before;
  at("held").textContent = held ? `Held before: ${held}` : state.pace.pacing === "pause" ? "Held at the next step." : "";
  at("speed").disabled = !["ready", "playing"].includes(state.phase) || !state.holder;
  if (document.activeElement !== at("speed")) at("speed").value = String(state.pace.speed.toFixed(1));
  at("begin").disabled = state.phase !== "ready" || !state.holder;
  for (const each of document.querySelectorAll("[data-do]")) each.disabled = state.phase !== "playing" || !state.holder;
  at("says").textContent = state.says ? "The phrase is being said." : "";
  announce(state.announced);
  part("turn", state.turn, drawTurn);
  part("steps", state.steps, drawSteps);
  at("reached").textContent = `${state.reached} of ${state.planned}`;
  part("thrive", state.thrive, drawThrive);
  const desk = state.console;
  if (desk) {
    part("calls", desk.calls, drawCalls);
    part("emergencies", desk.emergencies, drawEmergencies);
    part("ambience", desk.ambience, drawAmbience);
    part("patches", [desk.patches, desk.talkgroups.map((each) => each.talkgroup)], () => drawPatches(desk));
    part("talkgroups", [desk.talkgroups, talkgroup, [...together]], () => drawTalkgroups(desk.talkgroups));
    part("volumes", desk.volumes, drawVolumes);
    part("oversight", [desk.role, desk.oversight], () => drawOversight(desk));
    at("duty").textContent = desk.adviser;
    part("incidents", desk.incidents, drawIncidents);
    part("places", desk.places, drawPlaces);
    part("lines", desk.lines, drawLines);
    phrase(desk.talkgroups);
  }
  tick();
}

function announce(list) {
  for (const each of list) {
    if (each.n <= announced) continue;
    announced = each.n;
    at(each.urgent ? "urgent" : "polite").textContent = each.text;
  }
}

function drawTurn(turn) {
  at("turn-told").textContent = turn ? turn.told : "Nothing waits for you.";
  at("turn-window").hidden = !turn;
  at("turn-hint").hidden = !turn || !turn.hint;
  at("turn-hint-text").textContent = turn ? turn.hint : "";
  at("turn").classList.toggle("mine", Boolean(turn));
}

function tick() {
  if (!state) return;
  const now = performance.now() / 1000 + clockLead;
  const turn = state.turn;
  if (turn) {
    const gone = now - turn.began;
    const late = gone > turn.due;
    at("turn-count").textContent = late ? `Late by ${Math.floor(gone - turn.due)} s` : `${Math.ceil(turn.due - gone)} of ${turn.due} s left`;
    at("turn-bar").value = Math.min(1, Math.max(0, gone / turn.due));
    at("turn").classList.toggle("late", late);
  } else at("turn").classList.remove("late");
  for (const each of document.querySelectorAll("[data-since]")) {
    each.textContent = `${Math.max(0, Math.floor(now - Number(each.dataset.since)))} s`;
  }
}

function drawSteps(steps) {
  at("steps").replaceChildren(...[...steps].reverse().map((step) => el("li", { class: `came-${step.done}${step.mine ? " mine" : ""}`, value: step.number },
    `${step.told} — ${step.done}${step.mine && step.due ? `: ${step.took.toFixed(1)} of ${step.due} s` : ""}`)));
}

function drawThrive(thrive) {
  for (const form of document.querySelectorAll("[data-factor]")) form.classList.toggle("recorded", Boolean(thrive[form.dataset.factor]));
}

function drawCalls(calls) {
  at("calls").replaceChildren(...(calls.length ? calls : [null]).map((call) => {
    if (!call) return el("li", {}, "No calls.");
    const answer = call.state === "ringing"
      ? button(`answer-${safe(call.call)}`, `Answer ${call.queue || "call"}`, () => act("answer", { call: call.call }), { class: "go" }) : null;
    const resume = call.state === "held" ? button(`resume-${safe(call.call)}`, "Resume", () => act("resume", { call: call.call })) : null;
    return el("li", { class: `call ${call.state}${call.emergency ? " red" : ""}` },
      el("span", {}, `${call.queue || "line"} · ${call.cli || "number withheld"} · ${call.state} · `),
      el("span", { "data-since": call.since }), answer, resume);
  }));
}

function drawPatches(desk) {
  const names = desk.talkgroups.map((each) => each.talkgroup);
  at("patch").hidden = names.length < 2;
  for (const id of ["patch-one", "patch-two"]) {
    const chosen = at(id).value;
    at(id).replaceChildren(...names.map((name) => el("option", { value: name }, name)));
    if (names.includes(chosen)) at(id).value = chosen;
    else if (id === "patch-two" && names.length > 1) at(id).value = names[1];
  }
  at("patches").replaceChildren(...desk.patches.map((each) => el("li", {}, `Patch ${each.talkgroups.join(" and ")}`,
    button(`unpatch-${safe(each.patch)}`, "Take apart", () => act("unpatch", { patch: each.patch })))));
}

function drawAmbience(radios) {
  at("ambience").replaceChildren(...radios.map((issi) => el("li", { class: "red" }, `You listen in at ${issi}`,
    button(`ambience-${issi}`, "Stop listening in", () => act("end_ambience", { issi })))));
}

function drawEmergencies(list) {
  at("emergencies").hidden = !list.length;
  at("emergencies").querySelector("ul").replaceChildren(...list.map((each) => el("li", { class: "red" },
    el("span", {}, `${each.alias} (${each.issi}) on ${each.talkgroup} · `), el("span", { "data-since": each.since }),
    each.acknowledged_by ? el("span", {}, ` · acknowledged by ${each.acknowledged_by}`)
      : button(`acknowledge-${safe(each.emergency)}`, "Acknowledge", () => act("acknowledge_emergency", { emergency: each.emergency }), { class: "go" }),
    each.acknowledged_by ? button(`clear-${safe(each.emergency)}`, "Clear", () => act("clear_emergency", { emergency: each.emergency })) : null)));
}

function drawTalkgroups(groups) {
  if (!groups.some((each) => each.talkgroup === talkgroup)) talkgroup = groups.length ? (groups.find((each) => each.selected) || groups[0]).talkgroup : "";
  at("ptt").disabled = !talkgroup;
  for (const name of together) if (!groups.some((each) => each.talkgroup === name)) together.delete(name);
  tellTalk();
  at("talkgroups").replaceChildren(...(groups.length ? groups : [null]).map((each) => {
    if (!each) return el("li", {}, "This position has no talkgroups.");
    const id = safe(each.talkgroup);
    const radio = el("input", { type: "radio", name: "talkgroup", id: `tg-${id}`, value: each.talkgroup, on: { change: () => { talkgroup = each.talkgroup; tellTalk(); } } });
    radio.checked = each.talkgroup === talkgroup;
    const too = el("input", { type: "checkbox", id: `too-${id}`, "aria-label": `${each.talkgroup}: talk, too`, on: { change: (event) => { together[event.target.checked ? "add" : "delete"](each.talkgroup); tellTalk(); } } });
    too.checked = together.has(each.talkgroup);
    const talker = each.talker ? `${each.talker} talks` : each.last ? `last: ${each.last}` : "";
    return el("li", { class: each.talker ? "talks" : each.floor }, radio, el("label", { for: `tg-${id}` }, each.talkgroup),
      el("span", {}, `${talker ? ` · ${talker}` : ""}${each.floor ? ` · ${each.floor}${each.reason ? `: ${each.reason}` : ""}` : ""}`),
      button(`listen-${id}`, each.selected ? "In the headset" : "On the loudspeaker", () => act(each.selected ? "unselect" : "select", { talkgroup: each.talkgroup }), { "aria-pressed": String(each.selected), "aria-label": `${each.talkgroup} in the headset` }),
      groups.length > 1 ? el("label", { for: `too-${id}` }, too, "talk, too") : null);
  }));
}

function talkedOn() {
  return [talkgroup, ...[...together].filter((each) => each !== talkgroup)].filter(Boolean);
}

function tellTalk() {
  at("ptt").textContent = talkgroup ? `Press to talk on ${talkedOn().join(", ")}` : "Press to talk";
}

function drawVolumes(volumes) {
  for (const [name, db] of Object.entries(volumes)) {
    at(name).value = db;
    at(name).setAttribute("aria-valuetext", `${db} decibels`);
    document.querySelector(`output[for="${name}"]`).textContent = `${db} dB`;
  }
}

function drawOversight(desk) {
  at("oversight").hidden = desk.role !== "supervisor" && !desk.oversight;
  at("oversee").hidden = desk.role !== "supervisor";
  const told = { monitor: "listens", whisper: "whispers", barge: "is in the call" };
  const at_ = desk.oversight;
  at("oversight-told").textContent = at_ ? `${at_.by} ${told[at_.how] || at_.how} at ${at_.of}.` : "You listen in nowhere.";
}

function drawIncidents(incidents) {
  const open = incidents.filter((each) => each.state === "open");
  at("incident-form").hidden = !open.length;
  const chosen = at("incident").value;
  at("incident").replaceChildren(...open.map((each) => el("option", { value: each.incident }, `${each.incident}: ${each.title}`)));
  if (open.some((each) => each.incident === chosen)) at("incident").value = chosen;
  drawIncident();
}

function drawIncident() {
  const incident = state.console.incidents.find((each) => each.incident === at("incident").value);
  at("incident-lines").replaceChildren(...(incident ? [
    el("li", {}, `${incident.reference || "not yet with command and control"} · ${incident.cli || "no caller"} · held by ${incident.owner} · ${incident.grade || "not graded"}`),
    ...incident.units.map((unit) => el("li", {}, `Unit: ${unit}`)), ...incident.lines.map((line) => el("li", {}, line.text))] : []));
}

function drawPlaces(places) {
  const map = at("map");
  const svg = (tag, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text) made.textContent = text;
    return made;
  };
  map.replaceChildren(svg("rect", { x: 0, y: 0, width: 320, height: 200, class: "ground" }));
  const middle = places.length ? places.reduce((sum, each) => sum + each.lat, 0) / places.length : 0;
  const perLat = 111320, perLon = perLat * Math.cos((middle * Math.PI) / 180);
  const spots = places.map((each) => ({ ...each, x: each.lon * perLon, y: -each.lat * perLat }));
  const span = (key) => [Math.min(...spots.map((each) => each[key])), Math.max(...spots.map((each) => each[key]))];
  if (spots.length) {
    const [left, right] = span("x"), [top, bottom] = span("y");
    const widest = Math.max(...spots.map((each) => Math.min(each.radius_m || 0, 2000)), 150);
    const scale = Math.min(320 / (right - left + 2.4 * widest), 200 / (bottom - top + 2.4 * widest));
    for (const each of spots) {
      const x = 160 + (each.x - (left + right) / 2) * scale, y = 100 + (each.y - (top + bottom) / 2) * scale;
      if (each.radius_m) map.append(svg("circle", { cx: x, cy: y, r: Math.max(2, each.radius_m * scale), class: "about" }));
      map.append(svg("circle", { cx: x, cy: y, r: 4, class: each.kind }), svg("text", { x: x + 6, y: y + 4 }, each.name));
    }
  }
  at("places").replaceChildren(...(spots.length ? spots.map((each) => el("li", {},
    `${each.kind} ${each.name}: ${each.lat.toFixed(5)}, ${each.lon.toFixed(5)}${each.radius_m ? ` within ${Math.round(each.radius_m)} m` : ""} (${each.source})`))
    : [el("li", {}, "No places are known.")]));
}

function drawLines(lines) {
  at("lines").replaceChildren(...[...lines].reverse().map((line) => el("li", {}, `${line.kind} · ${line.who}: ${line.text}`)));
}

// Talking: by button, space bar or footswitch; without a microphone the phrase is said once the floor is had

function talk(on) {
  if (on === talking || (on && !talkgroup)) return;
  talking = on;
  at("ptt").setAttribute("aria-pressed", String(on));
  const groups = talkedOn();
  if (on) act(groups.length > 1 ? "key_groups" : "key", groups.length > 1 ? { talkgroups: groups } : { talkgroup });
  else {
    spokeFor = "";
    if (!sound.microphone) act("hush");
    act("unkey");
  }
}

function phrase(groups) {
  const had = groups.find((each) => each.floor === "granted");
  if (!had || !talking || sound.microphone || spokeFor === had.talkgroup) return;
  spokeFor = had.talkgroup;
  act("say");
}

const FOOTSWITCH = "iccs-footswitch";
let footswitch = localStorage.getItem(FOOTSWITCH) || "F9";
let learning = false;
const tellFootswitch = () => { at("footswitch-key").textContent = learning ? "Press the footswitch now." : `It is ${footswitch}.`; };
const fieldTypes = new Set(["INPUT", "TEXTAREA", "SELECT", "BUTTON", "SUMMARY", "A"]);

document.addEventListener("keydown", (event) => {
  if (learning && !["Tab", "Shift", "Escape", "Enter", " "].includes(event.key)) {
    event.preventDefault();
    footswitch = event.code || event.key;
    localStorage.setItem(FOOTSWITCH, footswitch);
    learning = false;
    tellFootswitch();
    return;
  }
  const foot = (event.code || event.key) === footswitch;
  const space = event.code === "Space" && at("space-talks").checked && !fieldTypes.has(event.target.tagName);
  if ((foot || space) && !event.repeat) { event.preventDefault(); talk(true); }
  else if (foot || space) event.preventDefault();
});
document.addEventListener("keyup", (event) => {
  if ((event.code || event.key) === footswitch || (event.code === "Space" && talking && !fieldTypes.has(event.target.tagName))) talk(false);
});
window.addEventListener("blur", () => talk(false));
at("ptt").addEventListener("pointerdown", () => talk(true));
for (const kind of ["pointerup", "pointerleave", "pointercancel"]) at("ptt").addEventListener(kind, () => talk(false));
at("ptt").addEventListener("keydown", (event) => { if (["Enter", " "].includes(event.key)) { event.preventDefault(); if (!event.repeat) talk(true); } });
at("ptt").addEventListener("keyup", (event) => { if (["Enter", " "].includes(event.key)) { event.preventDefault(); talk(false); } });

// Forms and buttons

const submits = (id, handler) => at(id).addEventListener("submit", (event) => {
  event.preventDefault();
  handler(new FormData(event.target), event.submitter);
  event.target.reset();
});
submits("open-incident", (data) => act("open_incident", { title: data.get("title") }));
submits("note", (data) => act("note_incident", { incident: at("incident").value, text: data.get("text") }));
submits("grade", (data) => act("grade", { incident: at("incident").value, grade: data.get("grade"), rationale: data.get("rationale") }));
submits("hand-over", (data) => act("hand_over", { incident: at("incident").value, to: data.get("to") }));
submits("assign", (data) => act("assign_unit", { incident: at("incident").value, issi: Number(data.get("issi")) }));
submits("text", (data) => act("text", { issi: Number(data.get("issi")), text: data.get("text") }));
submits("unit", (data, by) => act(by ? by.value : "call_radio", { issi: Number(data.get("issi")) }));
submits("patch", (data) => act("patch", { one: data.get("one"), two: data.get("two") }));
submits("keys", (data) => act("press", { digits: data.get("digits") }));
submits("type", (data) => act("type", { text: data.get("text") }));
submits("where", (data) => act("location", { text: data.get("text") }));
submits("no-incident", (data) => act("needs_no_incident", { reason: data.get("reason") }));
submits("oversee", (data, by) => act(by ? by.value : "monitor", { position: data.get("position") }));
submits("transfer", (data, by) => act(by && by.value === "dial" ? "dial" : by ? by.value : "transfer", by && by.value === "dial" ? { number: data.get("to") } : { to: data.get("to") }));
for (const form of document.querySelectorAll("[data-factor]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act("thrive", { incident: at("incident").value, factor: form.dataset.factor, text: new FormData(form).get("text") });
    form.reset();
  });
}
at("incident").addEventListener("change", drawIncident);
at("close-incident").addEventListener("click", () => act("close_incident", { incident: at("incident").value }));
for (const each of document.querySelectorAll("[data-act]")) each.addEventListener("click", () => act(each.dataset.act, JSON.parse(each.dataset.with || "{}")));
for (const each of document.querySelectorAll("[data-volume]")) each.addEventListener("change", () => act("volume", { [each.id]: Number(each.value) }));
for (const each of document.querySelectorAll("[data-do]")) each.addEventListener("click", () => act(each.dataset.do));
const asked = new Asked(pages, act);
at("speak").addEventListener("click", () => act("say"));
at("begin").addEventListener("click", () => act("begin"));
at("leave").addEventListener("click", () => act("leave"));
at("speed").addEventListener("change", () => act("speed", { to: Number(at("speed").value) }));
at("footswitch").addEventListener("click", () => { learning = true; tellFootswitch(); });
at("listen").addEventListener("click", async () => at("listen").setAttribute("aria-pressed", String(await sound.listen())));
at("microphone").addEventListener("click", async () => {
  const on = await sound.useMicrophone();
  at("microphone").setAttribute("aria-pressed", String(on));
});

tellFootswitch();
setInterval(tick, 500);
connect();
