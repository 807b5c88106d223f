// What the console shows only when it is asked for: what can be replayed, the phone book, the folders of talkgroups.
import { at, button, el, safe } from "./dom.js";

const KINDS = { telephone_in: "caller", telephone_out: "you to the caller", radio_rx: "radio", radio_tx: "you on", ambience: "open microphone", radio_call: "radio call" };
const TURNS_A_PAGE = new Set(["open_folder", "folder_back", "choose_talkgroup"]);

export class Asked {
  constructor(pages, act) {
    this.pages = pages;
    this.act = act;
    at("replays-show").addEventListener("click", () => this.replays());
    at("find").addEventListener("submit", (event) => { event.preventDefault(); this.find(at("find-words").value); });
    at("folders").addEventListener("toggle", () => { if (at("folders").open) this.folder(); });
  }

  // An act was done: what it changed is asked for anew.
  done(act) {
    if (TURNS_A_PAGE.has(act)) this.folder();
  }

  async ask(path) {
    const answer = await fetch(`${this.pages}/${path}`);
    return answer.ok ? answer.json() : null;
  }

  async replays() {
    const legs = await this.ask("replays");
    at("replays-told").textContent = !legs ? "Nothing can be replayed now." : legs.length ? "" : "Nothing was said or heard here yet.";
    at("replays").replaceChildren(...(legs || []).map((leg) => {
      const told = `${KINDS[leg.kind] || leg.kind} ${leg.talkgroup || leg.cli || ""} ${leg.ended === null ? "goes on" : `${Math.round(leg.seconds)} s`}`;
      return el("li", {}, el("span", {}, told), " ", button(safe(`replay-${leg.leg}`), "Play", () => {
        at("replayed").src = `${this.pages}/recorded/${encodeURIComponent(leg.leg)}`;
        at("replayed").play().catch(() => { at("replays-told").textContent = "This can't be played."; });
      }, { "aria-label": `Play ${told}` }));
    }));
  }

  async find(words) {
    const entries = await this.ask(`directory?find=${encodeURIComponent(words)}`);
    at("found-told").textContent = !entries ? "The phone book can't be read now." : entries.length ? `${entries.length} found.` : "Nobody is found.";
    at("found").replaceChildren(...(entries || []).map((each) => el("li", {}, `${[each.name, each.organisation, each.number].filter(Boolean).join(" · ")} `,
      button(`dial-${safe(each.id)}`, "Dial", () => this.act("dial", { number: each.number }), { "aria-label": `Dial ${each.name}` }))));
  }

  async folder() {
    const shown = await this.ask("folder");
    if (!shown) { at("folder-path").textContent = "The folders can't be read now."; return; }
    const focused = at("folders").contains(document.activeElement);
    at("folder-path").textContent = shown.path.length ? shown.path.join(" / ") : "All folders";
    const rows = [
      ...(shown.path.length ? [button("folder-back", "Back", () => this.act("folder_back"))] : []),
      ...shown.folders.map((name) => button(`folder-${safe(name)}`, `Open ${name}`, () => this.act("open_folder", { folder: name }))),
      ...shown.talkgroups.map((name) => button(`choose-${safe(name)}`, `Take ${name}`, () => this.act("choose_talkgroup", { talkgroup: name }))),
    ];
    at("folder").replaceChildren(...rows.map((each) => el("li", {}, each)));
    if (focused) (rows[0] || at("folders").querySelector("summary")).focus();
  }
}
