"use strict";
// What stands beside the picture: everything about the selected node, scope or pile.

const panel = $("panel");

function make(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content.filter(part => part !== null && part !== undefined && part !== ""));
  return made;
}

function number(x) {
  if (x === undefined || x === null) return "–";
  if (Number.isInteger(x) && Math.abs(x) < 1e7) return x.toLocaleString("en");
  const size = Math.abs(x);
  return size >= 1e-3 && size < 1e5 ? String(Number(x.toPrecision(6))) : x.toExponential(4).replace(/\.?0+e/, "e");
}

const section = (title, ...content) => make("section", "", make("h3", "", title), ...content);

function link(id) {
  const node = nodes[id];
  const a = make("a", `node ${node.role}`, `%${id} `, make("b", "", nodeTitle(node)), ` ${node.type}`);
  a.href = "#n" + id;
  a.title = pathOf(node.scope);
  a.style.borderColor = DATA.looks[node.role][1];
  return a;
}

function links(ids, most = 12) {
  const list = make("div", "links", ...ids.slice(0, most).map(link));
  if (ids.length > most) {
    const more = make("button", "more", `…and ${(ids.length - most).toLocaleString("en")} more`);
    more.onclick = () => list.replaceWith(links(ids, Infinity));
    list.append(more);
  }
  return list;
}

const leaves = n => n === 1 ? "1 leaf" : `${n.toLocaleString("en")} leaves`;

function breadcrumb(id) {
  const parts = chain(id).flatMap((scope, i) => {
    const a = make("a", "", scope.label);
    a.href = "#s" + scope.id;
    return i ? [" / ", a] : [a];
  });
  return make("p", "path", ...(parts.length ? parts : ["no scope"]));
}

// ---- statistics and histograms ----

function statistics(title, stats, className) {
  const part = section(title);
  part.className = "statistics " + className;
  if (!stats) {
    part.append(make("p", "quiet", "not in memory"));
    return part;
  }
  if (stats.bars) part.append(histogram(stats));
  const rows = ["min", "max", "mean", "std", "norm"].map(name => [name, stats[name]]);
  rows.push(["zeros", stats.zeros || 0]);
  const table = make("dl");
  for (const [name, value] of rows) table.append(make("dt", "", name), make("dd", name, number(value)));
  for (const [name, text] of [["nan", "NaN"], ["inf", "inf"]]) {
    const bad = stats[name] ? " bad" : "";
    table.append(make("dt", bad, text), make("dd", name + bad, number(stats[name] || 0)));
  }
  part.append(table);
  return part;
}

function histogram(stats) {
  const w = 256, h = 70, most = Math.max(...stats.bars), total = stats.bars.reduce((a, b) => a + b, 0);
  const label = `histogram of ${total} elements from ${number(stats.min)} to ${number(stats.max)}`;
  const svg = el("svg", { class: "histogram", viewBox: `0 0 ${w} ${h + 14}`, role: "img", "aria-label": label });
  const step = (stats.max - stats.min) / stats.bars.length;
  stats.bars.forEach((bar, i) => {
    const tall = bar ? Math.max(1, bar / most * h) : 0;
    const rect = el("rect", { x: i * 8 + 0.5, y: h - tall, width: 7, height: tall }, svg);
    el("title", {}, rect, `${number(stats.min + i * step)} … ${number(stats.min + (i + 1) * step)}: ${bar.toLocaleString("en")}`);
  });
  el("line", { x1: 0, x2: w, y1: h + 0.5, y2: h + 0.5 }, svg);
  if (stats.min < 0 && stats.max > 0) {
    const zero = -stats.min / (stats.max - stats.min) * w;
    el("line", { class: "zero", x1: zero, x2: zero, y1: 0, y2: h }, svg);
  }
  el("text", { x: 0, y: h + 12 }, svg, rough(stats.min, 3));
  el("text", { x: w, y: h + 12, "text-anchor": "end" }, svg, rough(stats.max, 3));
  return svg;
}

// ---- a node ----

function describeNode(node) {
  const op = ops[node.op];
  const badge = make("span", "badge", DATA.looks[node.role][2]);
  badge.style.background = DATA.looks[node.role][0];
  badge.style.borderColor = DATA.looks[node.role][1];
  const given = node.in.map(source => typeof source === "string" ? source : `%${source}`).join(", ");
  const called = node.leaf ? node.name || node.role : `${op.name}(${given}${node.params ? "; " + node.params : ""})`;
  const passes = node.grads.length > 1;
  const gradients = node.grads.map((id, i) => statistics(passes ? `Gradient, pass ${i + 1}` : "Gradient", nodes[id].stats, "gradient"));
  const [heading, className] = isGradient(node) ? ["Value (a gradient)", "value gradient"] : ["Value", "value"];
  const line = DATA.lines[node.line];
  panel.replaceChildren(
    make("h2", "", `%${node.id} `, nodeTitle(node), badge),
    breadcrumb(node.scope),
    make("p", "type", node.type, make("span", "quiet", ` ${elements(node.type)}`)),
    node.leaf && !node.name ? "" : make("pre", "call", called),
    jumps(node),
    statistics(heading, node.stats, className),
    ...gradients,
    node.leaf ? "" : formula(node, op),
    line ? section("Line", make("p", "line", line[0]), make("pre", "source", line[1])) : "",
    node.in.length ? section(`Inputs (${node.in.length})`, inputs(node, op)) : "",
    node.readers.length ? section(`Read by (${node.readers.length})`, links(node.readers)) : "",
    node.rule.length ? section("Recorded by its VJP rules", links(node.rule)) : "",
  );
}

function elements(type) {
  const dims = /\[(.*)\]/.exec(type)[1];
  return count(dims ? dims.split(",").reduce((product, n) => product * n, 1) : 1, "element");
}

// Forward to gradient and back.
function jumps(node) {
  const rows = [];
  if (node.grads.length) rows.push(make("p", "jump", "its gradient: ", ...node.grads.map(link)));
  if (node.gradientOf.length) rows.push(make("p", "jump", "gradient of: ", ...node.gradientOf.slice(0, 6).map(link)));
  if (node.origin !== undefined) rows.push(make("p", "jump", "recorded by a VJP rule of: ", link(node.origin)));
  return make("div", "jumps", ...rows);
}

function formula(node, op) {
  const name = i => op.args[0].endsWith("...") ? op.args[0] : op.args[i];
  const answer = rule => rule === null ? make("dd", "quiet", "no gradient") : make("dd", "", make("pre", "", rule));
  const rules = op.rules.map((rule, i) => [make("dt", "", "∂/∂" + name(i)), answer(rule)]);
  return section("Formula",
    make("pre", "forward", op.forward.includes("\n") ? op.forward : `${op.name}(${op.args.join(", ")}) = ${op.forward}`),
    make("h4", "", "VJP rules", make("span", "quiet", " (g: the cotangent)")),
    make("dl", "rules", ...rules.flat()));
}

function inputs(node, op) {
  const list = make("div", "links");
  node.in.forEach((source, i) => {
    const name = op.args[i] && !op.args[i].endsWith("...") ? op.args[i] : `${i}`;
    list.append(make("span", "argument", name), typeof source === "string" ? make("code", "", source) : link(source));
  });
  return list;
}

// ---- a scope, a pile of scopes ----

function describeScope(scope) {
  const twin = scope.mirror !== null ? scope.mirror : scope.forward;
  const computed = scope.all.filter(node => !node.leaf);
  const button = make("button", "", open.has(scope.id) ? "Fold" : "Unfold");
  button.onclick = () => toggle(scope);
  const other = twin === undefined ? "" : make("a", "", scope.mirror !== null ? "its gradient" : "its forward scope");
  if (other) other.href = "#s" + twin;
  panel.replaceChildren(
    make("h2", "", scope.label || "everything"),
    scope.parent >= 0 ? breadcrumb(scope.parent) : "",
    make("p", "", `${count(computed.length, "op")}, ${leaves(scope.all.length - computed.length)} `,
      scope.parent >= 0 ? button : "", " ", other),
    parameters(scope),
    operations(computed),
  );
}

const row = (first, ...numbers) => make("tr", "", make("td", "", first), ...numbers.map(text => make("td", "n", text)));

function parameters(scope) {
  const found = scope.all.filter(node => node.role === "parameter");
  if (!found.length) return "";
  const table = make("table", "", make("tr", "", ...["parameter", "norm", "gradient norm"].map(text => make("th", "", text))));
  for (const node of found) {
    const gradient = statsFor(node, "gradient");
    table.append(row(link(node.id), brief(node.stats), brief(gradient)));
  }
  return section(`Parameters (${found.length})`, table);
}

const rough = (x, digits = 2) => number(Number(x.toPrecision(digits)));
const brief = stats => stats && stats.norm !== undefined ? rough(stats.norm, 3) : "–";

function operations(computed) {
  const counts = {};
  computed.forEach(node => { const name = ops[node.op].name; counts[name] = (counts[name] || 0) + 1; });
  const table = make("table", "counts");
  Object.entries(counts).sort((a, b) => b[1] - a[1]).forEach(([name, n]) => table.append(row(name, n.toLocaleString("en"))));
  return section("Operations", table);
}

function describeRun(run) {
  const twins = run.map(scope => scope.mirror !== null ? scope.mirror : scope.forward);
  const other = twins[0] === undefined ? "" : make("a", "", run[0].mirror !== null ? "its gradient" : "its forward scope");
  if (other) other.href = "#s" + twins[0];
  panel.replaceChildren(
    make("h2", "", runLabel(run), make("span", "badge", `×${run.length}`)),
    breadcrumb(run[0].parent),
    make("p", "", "Click a bar to open that one. ", other),
    section("Gradient norm", bars(run, "gradient")),
    section("Value norm", bars(run, "value")),
  );
}

// One bar per member on a logarithmic scale: the median norm of its nodes.
function bars(run, tint) {
  const sizes = run.map(scope => sizeOfScope(scope, tint));
  const finite = sizes.filter(Number.isFinite);
  if (!sizes.some(x => x !== undefined)) return make("p", "quiet", "none is known");
  const top = Math.max(...finite, -300), bottom = Math.min(...finite, top - 1);
  const w = 256, h = 90, each = w / run.length;
  const svg = el("svg", { class: `bars ${tint}`, viewBox: `0 0 ${w} ${h + 14}`, role: "group" });
  run.forEach((scope, i) => {
    const x = sizes[i];
    const tall = Number.isNaN(x) ? h : Number.isFinite(x) ? 4 + (x - bottom) / (top - bottom) * (h - 4) : 2;
    const name = { role: "button", tabindex: 0, "aria-label": `open ${scope.label}` };
    const bar = el("g", { class: "bar" + (Number.isNaN(x) ? " bad" : ""), ...name }, svg);
    el("rect", { class: "touch", x: i * each, y: 0, width: each, height: h }, bar);
    el("rect", { x: i * each + each * 0.1, y: h - tall, width: each * 0.8, height: tall }, bar);
    el("title", {}, bar, `${scope.label}: ${x === undefined ? "not known" : Number.isNaN(x) ? "NaN or inf" : number(10 ** x)}`);
    bar.onclick = () => openOne(scope);
    bar.onkeydown = event => { if (event.key === "Enter") openOne(scope); };
  });
  el("text", { x: 0, y: h + 12 }, svg, run[0].label);
  el("text", { x: w, y: h + 12, "text-anchor": "end" }, svg, run[run.length - 1].label);
  if (!finite.length) return svg;
  return make("div", "", svg, make("p", "quiet", `median over its nodes, logarithmic, from ${rough(10 ** bottom)} to ${rough(10 ** top)}`));
}

const HELP = "Click a box to see its formula, values and gradient. Click a pile or a scope's title to open or fold it. "
  + "Forward flows down, gradients flow up beside it.";
const HELP_ON_KEYS = [
  [["/"], "search"], [["←", "→", "↑", "↓"], "from box to box"], [["Enter"], "open or fold"], [["g"], "to the gradient, and back"],
  [["+", "−", "0"], "zoom in, out, fit"], [["Esc"], "nothing selected"],
];

function describeNothing() {
  const computed = nodes.filter(node => !node.leaf).length;
  const key = (keys, text) => [make("dt", "", ...keys.map(k => make("kbd", "", k))), make("dd", "", text)];
  panel.replaceChildren(
    make("h2", "", DATA.title),
    make("p", "", `${count(computed, "operation")}, ${leaves(nodes.length - computed)}.`),
    ...DATA.notes.map(text => make("p", "note", text)),
    make("p", "quiet", HELP),
    make("dl", "keys", ...HELP_ON_KEYS.flatMap(([keys, text]) => key(keys, text))),
    parameters(scopes[0]),
    operations(nodes.filter(node => !node.leaf)),
  );
}
