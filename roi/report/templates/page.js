"use strict";
// What a page gains where scripts run: values of charts under the pointer and the arrow keys, and a sketch of the
// decision at other assumptions. The page is whole without it, and it asks nothing of any network.

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;

function point(mark, marks) {
  for (const other of marks) other.classList.toggle("on", other === mark);
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.dataset.tip;
  const at = mark.getBoundingClientRect();
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const above = at.top - tip.offsetHeight - 8;
  tip.style.left = Math.max(8, Math.min(at.left + at.width / 2 - tip.offsetWidth / 2, room)) + "px";
  tip.style.top = (above > 8 ? above : Math.min(at.bottom + 8, innerHeight - tip.offsetHeight - 8)) + "px";
}

function explain(drawing) {
  const marks = [...drawing.querySelectorAll("[data-tip]")];
  if (!marks.length) return;
  const said = document.createElement("span");
  said.className = "heard";
  said.setAttribute("role", "status");
  drawing.append(said);
  drawing.tabIndex = 0;
  drawing.setAttribute("role", "group");
  drawing.setAttribute("aria-label", drawing.dataset.keys);
  let place = -1;
  const show = (i) => {
    place = i;
    point(marks[i], marks);
    said.textContent = i < 0 ? "" : marks[i].dataset.tip;
  };
  drawing.addEventListener("pointerover", (e) => {
    const mark = e.target.closest("[data-tip]");
    if (mark) { place = marks.indexOf(mark); point(mark, marks); }
  });
  drawing.addEventListener("pointerleave", () => { if (document.activeElement !== drawing) show(-1); });
  drawing.addEventListener("blur", () => show(-1));
  drawing.addEventListener("keydown", (e) => {
    const last = marks.length - 1;
    const to = {
      ArrowRight: Math.min(place + 1, last), ArrowDown: Math.min(place + 1, last),
      ArrowLeft: Math.max(place - 1, 0), ArrowUp: Math.max(place - 1, 0), Home: 0, End: last, Escape: -1,
    }[e.key];
    if (to === undefined || e.ctrlKey || e.altKey || e.metaKey) return;
    e.preventDefault();
    show(to);
    if (to >= 0) marks[to].scrollIntoView({ block: "nearest" });
    point(marks[to], marks);
  });
}

// The sketch. `sketchAt` computes what roi.sketch.at computes, from the same numbers.

function unpack(found, n) {
  const off = new Float64Array(n);
  if (!found.off) return off.fill(found.mean);
  const bytes = atob(found.off);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const low = bytes.charCodeAt(2 * i), high = bytes.charCodeAt(2 * i + 1);
    off[i] = (((high << 8) | low) << 16 >> 16) * found.scale;
    sum += off[i];
  }
  for (let i = 0; i < n; i++) off[i] += found.mean - sum / n;
  return off;
}

function unpackAll(sketch) {
  const n = sketch.draws;
  for (const x of sketch.inputs) x.values = x.drawn && unpack(x.drawn, n);
  for (const plan of sketch.plans) {
    plan.parts = Object.entries(plan.terms).map(([bits, found]) => [Number(bits), unpack(found, n)]);
    plan.few = summary(plan, sketch.inputs.map(() => new Float64Array(n).fill(1)), sketch);
  }
  return sketch;
}

function timesOf(x, value, n) {
  const times = new Float64Array(n);
  if (x.form === "times") return times.fill(value / x.base);
  if (x.form === "share") return times.map((_, i) => Math.min(value / x.base, 1 / x.values[i]));
  const fall = Math.exp(Math.log(x.base / (1 - x.base)) - Math.log(value / (1 - value)));
  return times.map((_, i) => 1 / (x.values[i] + (1 - x.values[i]) * fall));
}

function summary(plan, times, sketch) {
  const n = sketch.draws;
  const worth = new Float64Array(n);
  for (const [bits, part] of plan.parts) {
    for (let d = 0; d < n; d++) {
      let product = part[d];
      for (let i = 0; i < times.length; i++) if ((bits >> i) & 1) product *= times[i][d];
      worth[d] += product;
    }
  }
  worth.sort();
  let sum = 0, above = 0;
  for (const w of worth) { sum += w; above += w > sketch.hurdle; }
  return { worth: sum / n, chance: above / n, low: worth[Math.floor(n * 0.1)], high: worth[Math.floor(n * 0.9)] };
}

function sketchAt(sketch, values) {
  const n = sketch.draws;
  const times = sketch.inputs.map((x, i) => timesOf(x, values[i], n));
  // What few draws miss of all of them where nothing is moved, they are taken to miss elsewhere.
  const plans = sketch.plans.map((plan) => {
    const now = summary(plan, times, sketch);
    const as = (key) => now[key] + plan.stated[key] - plan.few[key];
    return { worth: now.worth, chance: Math.min(Math.max(as("chance"), 0), 1), low: as("low"), high: as("high") };
  });
  const moved = sketch.inputs.some((x, i) => Math.abs(values[i] - x.base) > x.step / 1000);
  return { moved, plans, verdict: moved ? tell(sketch, plans) : sketch.verdict };
}

function tell(sketch, plans) {
  const { needs, stops, margin } = sketch;
  const open = plans.filter((_, i) => sketch.plans[i].open).map((p) => p.chance);
  if (sketch.may_scale) {
    const best = Math.max(0, ...open);
    if (best >= needs + margin) return "scale";
    if (best > needs - margin) return null;
  }
  const near = (p) => sketch.sure * (p.high - p.low);
  const fixes = plans.map((p, i) => [p, sketch.plans[i]]).filter(([, plan]) => plan.name === "fix");
  const top = Math.max(...plans.map((p) => p.chance));
  const good = fixes.some(([p, plan]) =>
    p.worth > near(p) && p.chance >= (needs + margin) * plan.passes);
  if (top > stops + margin && (good || !sketch.may_scale)) return "fix";
  const nothing = fixes.every(([p]) => p.worth < -near(p));
  if (nothing && (top < stops - margin || (fixes.length && sketch.verdict === "kill"))) return "kill";
  return null;
}

// Numbers in words, as roi.words says them; signs and words come with the page.

function grouped(text, signs) {
  const [whole, rest] = text.split(".");
  const parted = whole.length < signs.least ? whole : whole.replace(/\B(?=(\d{3})+$)/g, () => signs.group);
  return rest === undefined ? parted : parted + signs.point + rest;
}

function num(x, digits, signs) {
  if (Math.abs(x) < 1e-9) return "0";
  let places = digits - 1 - Math.floor(Math.log10(Math.abs(x)));
  const rounded = Number(x.toPrecision(digits));
  places = digits - 1 - Math.floor(Math.log10(Math.abs(rounded)));
  return (rounded < 0 ? signs.minus : "") + grouped(Math.abs(rounded).toFixed(Math.max(0, places)), signs);
}

function figureOf(x, factor, size, signs) {
  const a = Math.abs(x);
  let text;
  if (factor > 1) text = (a / factor).toFixed(size / factor < 10 ? 2 : size / factor < 100 ? 1 : 0);
  else if (size >= 10000) text = (Math.round(a / 1000) * 1000).toFixed(0);
  else if (size >= 1000) text = (Math.round(a / 10) * 10).toFixed(0);
  else if (size >= 1) text = a.toFixed(size >= 100 ? 0 : 2);
  else return a < 1e-6 ? "0" : (x < 0 ? signs.minus : "") + num(a, 2, signs);
  return Number(text) === 0 ? "0" : (x < 0 ? signs.minus : "") + grouped(text, signs);
}

function scaleOf(size, signs) {
  return size >= 999500000 ? [1e9, signs.billion] : size >= 999500 ? [1e6, signs.million] : [1, ""];
}

function amounts(values, signs, about) {
  let size = Math.max(...values.map(Math.abs));
  let [factor, word] = scaleOf(size, signs);
  if (about !== undefined && size < 10 * factor && Math.abs(about) < size) [factor, word] = scaleOf(Math.abs(about), signs);
  if (about !== undefined && Math.abs(about) >= factor) size = Math.min(size, Math.max(Math.abs(about), size / 10));
  const larger = Math.max(...values.map(Math.abs));
  if (factor === 1 && larger >= 100 && size < Math.min(larger, 10000)) {
    const step = 10 ** (Math.floor(Math.log10(larger)) - 2);
    [size, values] = [Math.max(size, 100), values.map((x) => Math.round(x / step) * step)];
  }
  const texts = [...new Set(values.map((x) => figureOf(x, factor, size, signs)))];
  if (texts.length < 2) return money(texts[0] + word, signs);
  const [low, high] = texts;
  if (signs.form.startsWith("¤#")) return money(low, signs) + signs.to + money(high + word, signs);
  if (signs.form.startsWith("¤")) return money(low, signs) + signs.to + high + word;
  return low + signs.to + money(high + word, signs);
}

// The currency where it belongs: next to its number the sign stands before both, else before the number.
function money(figure, signs) {
  const sign = figure.startsWith(signs.minus) ? signs.minus : "";
  const bare = figure.slice(sign.length);
  const outside = !signs.form.startsWith("¤\u00a0");
  const put = (what) => signs.form.replace(/[¤#]/g, (hole) => (hole === "¤" ? signs.currency : what));
  return outside ? sign + put(bare) : put(sign + bare);
}

function chanceOf(p, words) {
  if (p < 0.01) return words[0];
  if (p < 0.05) return words[1];
  if (p > 0.99) return words[13];
  if (p > 0.95) return words[12];
  return words[1 + Math.min(10, Math.floor(p * 10 + 0.5))];
}

function share(hundred, signs) {
  const size = Math.abs(hundred);
  if (size < 0.0005) return "0";
  if (size < 1) return num(hundred, 2, signs);
  const text = size < 10 || (size > 99 && size < 100) ? size.toFixed(1) : size.toFixed(0);
  return (hundred < 0 ? signs.minus : "") + grouped(text, signs);
}

function minutes(x, signs) {
  const text = Math.abs(x).toFixed(2);
  return (x < 0 && Number(text) ? signs.minus : "") + grouped(text, signs);
}

function valueText(x, value, signs) {
  const [first, per] = x.unit.split("/")[0].split(" per ");
  if (first === "share") return share(100 * value, signs) + signs.percent;
  if (!/^[A-Z]{3}$/.test(first)) return `${first === "min" ? minutes(value, signs) : num(value, 3, signs)} ${first}`.trim();
  const form = signs.form === "¤#" ? "¤\u00a0#" : signs.form; // a code is told apart from its number
  const own = first === signs.code ? signs : { ...signs, currency: first, form };
  return per ? `${money(num(value, 3, signs), own)} per ${per}` : amounts([value], own);
}

function play(section) {
  const sketch = unpackAll(JSON.parse(section.querySelector("script").textContent));
  const { chances, said } = sketch.words;
  const signs = { ...sketch.words.signs, ...JSON.parse(section.dataset.written || "{}") };
  const dials = [...section.querySelectorAll("input")];
  const rows = [...section.querySelectorAll("tbody tr")];
  const shown = sketch.plans.flatMap((plan, i) => (plan.shown ? [i] : []));
  const status = section.querySelector(".told");
  // A dial counts steps, so that where it stands at first is exactly what was stated.
  const values = () => dials.map((dial, i) => sketch.inputs[i].low + Number(dial.value) * sketch.inputs[i].step);
  const draw = () => {
    const now = values();
    dials.forEach((dial, i) => {
      const text = valueText(sketch.inputs[i], now[i], signs);
      dial.setAttribute("aria-valuetext", text);
      dial.parentElement.querySelector("output").textContent = text;
    });
    const found = sketchAt(sketch, now);
    rows.forEach((row, r) => {
      const plan = found.plans[shown[r]];
      const [worth, range, chance] = row.querySelectorAll("td");
      worth.textContent = amounts([plan.worth], signs);
      range.textContent = amounts([plan.low, plan.high], signs, plan.worth);
      chance.textContent = chanceOf(plan.chance, chances);
    });
    const kind = !found.moved ? "stated" : !found.verdict ? "unsure" : found.verdict === sketch.verdict ? "same" : "other";
    status.textContent = said[kind].replace("{}", said[found.verdict || sketch.verdict]);
    status.className = "told verdict-" + (found.verdict || "unsure");
  };
  const reset = () => { for (const dial of dials) dial.value = dial.defaultValue; draw(); };
  section.addEventListener("input", draw);
  section.querySelector("button").addEventListener("click", reset);
  addEventListener("beforeprint", reset);
  addEventListener("pageshow", reset);
  section.hidden = false;
  draw();
}

// What is too long for the first screen is cut where it stands and says so, one tap from the whole of it. A "more" follows
// what it belongs to in the document; only classes and states change here, and without scripts nothing is cut.
function cut() {
  const texts = [...document.querySelectorAll(".clip")];
  const buttons = [...document.querySelectorAll("button.more")];
  const steps = document.querySelector("button.rest");
  const look = () => {
    for (const text of texts) text.classList.remove("near");
    const over = texts.map((text) => text.scrollHeight - text.clientHeight);
    const lines = texts.map((text) => parseFloat(getComputedStyle(text).lineHeight));
    texts.forEach((text, i) => {
      const whole = text.classList.contains("whole");
      // To say that a line is cut takes a line: one alone is left where it is.
      text.classList.toggle("near", !whole && over[i] < 1.5 * lines[i]);
      buttons[i].classList.toggle("on", whole || over[i] >= 1.5 * lines[i]);
    });
  };
  const toggle = (button, what) => {
    button.setAttribute("aria-expanded", String(what.classList.toggle("whole")));
    look();
  };
  document.documentElement.classList.add("cuts");
  buttons.forEach((button, i) => button.addEventListener("click", () => toggle(button, texts[i])));
  steps?.addEventListener("click", () => toggle(steps, steps.previousElementSibling));
  addEventListener("resize", look);
  look();
}

document.querySelector("main").append(tip);
cut();
for (const drawing of document.querySelectorAll(".drawing")) explain(drawing);
for (const section of document.querySelectorAll("section.sketch")) play(section);
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
