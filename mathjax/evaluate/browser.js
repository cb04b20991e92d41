// The attempts of a report to look at: filters, search, and what is found, a page of it at a time.
"use strict";
const PAGE = 40;
const data = JSON.parse(document.getElementById("attempts").textContent);
const at = (id) => document.getElementById(id);
const controls = ["benchmark", "state", "error", "search"].map(at);
let found = [], shown = 0;

function node(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const words = (text) => (text || "").replaceAll("_", " ");
const headline = (one) => Object.values(one.verdicts)[0];
const right = (one) => headline(one).correct;
const differs = (one) => new Set(Object.values(one.verdicts).map((verdict) => verdict.correct)).size > 1;
const STATES = {
  all: () => true,
  wrong: (one) => !right(one),
  right,
  protocols: differs,
  changed: (one) => one.other && right(one) !== right(one.other),
  gained: (one) => one.other && right(one) && !right(one.other),
  lost: (one) => one.other && !right(one) && right(one.other),
};

function text(one) {
  if (one.text === undefined) {
    const { question, truth } = data[one.benchmark].questions[one.question];
    one.text = `${question}\n${truth}\n${one.completion}\n#${one.index}`.toLowerCase();
  }
  return one.text;
}

function filter() {
  const [benchmark, state, error, search] = controls.map((control) => control.value);
  const wanted = search.toLowerCase();
  const names = benchmark === "" ? Object.keys(data) : [benchmark];
  const inside = names.flatMap((name) => data[name].attempts);
  found = inside.filter((one) => STATES[state](one) && (error === "" || one.error === error)
    && (!wanted || text(one).includes(wanted)));
  at("count").textContent = `${found.length.toLocaleString("en")} of ${inside.length.toLocaleString("en")} attempts`;
  at("list").replaceChildren();
  shown = 0;
  more();
}

function more() {
  at("list").append(...found.slice(shown, shown + PAGE).map(article));
  shown = Math.min(shown + PAGE, found.length);
  at("more").hidden = shown >= found.length;
  at("more").textContent = `show more (${(found.length - shown).toLocaleString("en")} left)`;
}

function article(one) {
  const { question, truth } = data[one.benchmark].questions[one.question], verdict = headline(one);
  const said = right(one) ? "right" : words(one.error || verdict.why);
  const head = node("header", {},
    node("b", { class: right(one) ? "good" : "bad" }, said),
    ` ${one.benchmark} #${one.index}${one.sample ? ` sample ${one.sample}` : ""}`,
    ...(one.stage ? [` · asked as ${words(one.stage)}`] : []),
    ...(one.finish === "length" ? [" · cut off at the limit of tokens"] : []));
  const made = node("article", { "data-index": one.index, "data-right": right(one) }, head,
    node("div", { class: "question" }, typeset(question)), completion(one),
    node("p", { class: "answers" }, "answer ", node("code", {}, verdict.answer ?? "none"),
      " · truth ", node("code", {}, truth ?? ""),
      ` · ${words(verdict.why)}${one.because ? `: ${words(one.because)}` : ""}`));
  if (differs(one)) made.append(node("p", { class: "soft" }, Object.entries(one.verdicts)
    .map(([name, other]) => `${name} ${other.correct ? "right" : "wrong"} (${other.answer ?? "none"})`).join(" · ")));
  if (one.other) made.append(node("details", {}, node("summary", {},
    `the other run: ${right(one.other) ? "right" : words(one.other.error) || "wrong"}`), completion(one.other)));
  return made;
}

function completion(one) {
  const made = node("div", { class: one.style === "pot" || one.stage === "pot" ? "completion code" : "completion" });
  if (one.style === "arithmetic") made.append(...chain(one));
  else if (one.style === "pot") made.append(one.completion);
  else if (one.slip !== undefined) {
    const end = one.completion.slice(one.slip).search(/[.;!?](?=\s|$)|\n|$/), stop = one.slip + end;
    made.append(typeset(one.completion.slice(0, one.slip)),
      node("mark", { title: "the first equation that does not hold" }, typeset(one.completion.slice(one.slip, stop))),
      typeset(one.completion.slice(stop)));
  } else made.append(typeset(one.completion));
  return made;
}

function chain(one) {  // the first wrong segment marked, what follows it grey; the question's own segment is counted
  const parts = one.completion.split("="), wrong = one.wrong_segment ? one.wrong_segment - 1 : -1;
  return parts.flatMap((part, i) => [
    i ? " = " : "",
    i === wrong ? node("mark", {}, part || "\u00a0")
      : node("span", wrong >= 0 && i > wrong ? { class: "soft" } : {}, part),
  ]);
}

for (const [name, { attempts }] of Object.entries(data)) {
  for (const one of attempts) { one.benchmark = name; if (one.other) one.other.style = one.style; }
}
const every = Object.values(data).flatMap(({ attempts }) => attempts);
const kinds = [...new Set(every.map((one) => one.error).filter(Boolean))].sort();
at("error").append(...kinds.map((kind) => node("option", { value: kind }, words(kind))));
at("benchmark").append(...Object.keys(data).map((name) => node("option", { value: name }, name)));
const CHANGES = {
  changed: "changed between the runs", gained: "right in the first alone", lost: "right in the second alone",
};
if (every.some((one) => one.other)) {
  at("state").append(...Object.entries(CHANGES).map(([value, label]) => node("option", { value }, label)));
}
for (const control of controls) control.addEventListener("input", filter);
at("more").addEventListener("click", more);
filter();
