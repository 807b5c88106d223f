// The Allure 3 report of an acceptance run: one file that opens from the file system.
// `iccs accept` and `iccs report` set ICCS_HISTORY, a JSONL of earlier runs, and whether this one joins it, and ICCS_GATE,
// what of the plan's exit criteria (fixtures/plans) Allure can judge, and ICCS_GROUND, where not all was won on real equipment.
import { defineConfig } from "allure";

// Allure paints a pass green, on simulators too: the name and the first chart say what it was won on.
const GROUND = process.env.ICCS_GROUND ? `, ${process.env.ICCS_GROUND}` : "";
const NAME = `ICCS acceptance${GROUND}`;
const isKnown = (result) => result.labels.some(({ name }) => name === "defect");
const labelled = (result, name, value) => result.labels.some((label) => label.name === name && label.value === value);
// By what a failure's message begins with: the testbed did not stand, or something that it needs was gone. `iccs accept`'s
// errors (harness/errors.py) and Python's own.
const ENVIRONMENT =
  /^(?:[\w.]+\.)?(?:Testbed|Interlock|Transport|Database\w*|\w+Gone|\w+Unanswered|OS|Connection\w*|Permission|FileNotFound|MissingTool)Error\b/;
const isEnvironment = (result) => ENVIRONMENT.test(result.statusDetails?.message ?? result.error?.message ?? result.message ?? "");
const isBad = (result) => result.status === "failed" || result.status === "broken";

// What a board asks of a run, in its words: how it stands, against the runs before, and how long it took. None of Allure's
// charts by group: they paint a group green in which nothing was run. How groups stand is the first page, and the dossier.
const DASHBOARD = [
  { type: "currentStatus", title: `This run${GROUND}`, metric: "passed" },
  { type: "testResultSeverities", title: "Outcome by priority: critical Must, normal Should, minor Could", includeUnset: true },
  { type: "statusDynamics", title: "Trend over runs", limit: 20 },
  { type: "statusTransitions", title: "Fixed and regressed, run by run", limit: 20 },
  { type: "durations", title: "How long tests took", groupBy: "none" },
  { type: "durationDynamics", title: "How long runs took", limit: 20 },
];

export default defineConfig({
  name: NAME,
  historyPath: process.env.ICCS_HISTORY,
  appendHistory: process.env.ICCS_JOIN_HISTORY === "1",
  historyLimit: 50,
  hideLabels: ["host", "thread", "language", "titlePath"],
  qualityGate: { rules: [JSON.parse(process.env.ICCS_GATE ?? "{}")] },
  environments: {
    // What a result was won on: a pass on simulators is no acceptance.
    real: { name: "On real equipment", matcher: ({ labels }) => labelled({ labels }, "binding", "real") },
    mixed: { name: "Partly on simulators", matcher: ({ labels }) => labelled({ labels }, "binding", "mixed") },
    simulated: { name: "On simulators", matcher: ({ labels }) => labelled({ labels }, "binding", "simulated") },
  },
  plugins: {
    awesome: {
      options: {
        reportName: NAME,
        singleFile: true,
        reportLanguage: "en",
        // Not by story: a test of two requirements would stand under each feature with the stories of the other.
        groupBy: ["epic", "feature"],
        charts: DASHBOARD,
      },
    },
  },
  categories: [
    // The register (fixtures/defects.yaml) explains these: each carries its fault and change request.
    { name: "Known faults", matchers: (result) => isBad(result) && isKnown(result), groupBy: [{ label: "defect" }] },
    { name: "Test environment", matchers: (result) => isBad(result) && !isKnown(result) && isEnvironment(result) },
    {
      name: "Product defects",
      matchers: (result) => result.status === "failed" && !isKnown(result) && !isEnvironment(result),
    },
    {
      name: "Test defects",
      matchers: (result) => result.status === "broken" && !isKnown(result) && !isEnvironment(result),
    },
    { name: "Not run or not applicable", matchedStatuses: ["skipped"] },
  ],
});
