"use strict";
// From laid-out items to SVG; colours; pan and zoom.

const SVG = "http://www.w3.org/2000/svg";
const $ = id => document.getElementById(id);
const canvas = $("canvas"), world = $("world");
const view = { x: 0, y: 0, k: 1, fitted: true }; // fitted: everything is in sight, and shall be when the window changes
let picture = null; // {root, edges, place, items: Map key -> item}
const ruler = document.createElement("canvas").getContext("2d");

function el(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) if (attributes[key] !== undefined) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function textWidth(text, px, weight = 600) {
  ruler.font = `${weight} ${px}px system-ui, sans-serif`;
  return ruler.measureText(text).width;
}

// ---- what boxes say ----

const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
const shapeText = type => { // "f32[32,128]" as people write it: 32×128; other dtypes say so
  const [, dtype, dims] = /^(\w+)\[(.*)\]$/.exec(type);
  const text = dims ? dims.split(",").join("×") : "scalar";
  return dtype === "f32" ? text : `${dtype} ${text}`;
};

function callText(node) { // mul · 0.9, sub(1, ·)
  const name = ops[node.op].name;
  const given = node.in.map(source => typeof source === "string" ? source : "·");
  if (given.every(text => text === "·")) return name;
  if (given.length === 2 && given[0] === "·") return `${name} · ${given[1]}`;
  return `${name}(${given.join(", ")})`;
}

function nodeTitle(node) {
  if (!node.leaf) return callText(node);
  if (!node.name) return node.role;
  const parts = node.name.split(".");
  const around = new Set(chain(node.scope).flatMap(scope => [scope.name, scope.label]));
  while (parts.length > 1 && around.has(parts[0])) parts.shift();
  return parts.join(".");
}

function runLabel(run) {
  const [first, last] = [run[0], run[run.length - 1]];
  if (first.index !== null) return `${first.name} ${first.index}…${last.index}`.trim();
  return `${first.name} ×${run.length}`;
}

function linesOf(item) {
  if (item.kind === "node") return [nodeTitle(item.node), shapeText(item.node.type)];
  const computed = item.members.reduce((sum, scope) => sum + scope.all.filter(node => !node.leaf).length, 0);
  if (item.kind === "run") return [runLabel(item.members), `×${item.members.length}, ${count(computed, "op")}`];
  const parameters = item.scope.all.filter(node => node.role === "parameter").length;
  return [item.scope.label, count(computed, "op") + (parameters ? `, ${count(parameters, "parameter")}` : "")];
}

function boxSize(item) {
  const [title, below] = linesOf(item);
  const wide = Math.max(textWidth(title, 13), textWidth(below, 11));
  if (item.kind === "node") return [Math.max(46, wide + 22), 38];
  return [Math.max(item.kind === "run" ? 150 : 90, wide + 34), item.kind === "run" ? 62 : 46];
}

// ---- colours ----

const channels = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
const STOPS = DATA.stops.map(channels);
const [ZERO, UNKNOWN, BAD] = DATA.special;
let range = [0, 1];

function heat(x) {
  if (x === undefined) return UNKNOWN;
  if (Number.isNaN(x)) return BAD;
  if (x === -Infinity) return ZERO;
  const at = Math.min(1, Math.max(0, (x - range[0]) / (range[1] - range[0]))) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(at));
  return `rgb(${STOPS[i].map((a, c) => Math.round(a + (STOPS[i + 1][c] - a) * (at - i))).join(",")})`;
}

const roleOfScope = scope => { // the most frequent role among what was computed
  const votes = {};
  scope.all.forEach(node => { if (!node.leaf) votes[node.role] = (votes[node.role] || 0) + 1; });
  return Object.keys(votes).sort((a, b) => votes[b] - votes[a])[0] || "data";
};

function lookOf(item) {
  const role = item.kind === "node" ? item.node.role : roleOfScope(item.scope);
  const [fill, border] = DATA.looks[role];
  if (!settings.tint) return { fill, border, role };
  const inside = item.members && item.members.map(scope => sizeOfScope(scope, settings.tint));
  const x = inside ? median(inside) : size(item.node, settings.tint);
  return { fill: heat(x), border, role, dark: Number.isNaN(x) };
}

const notFinite = item => item.kind === "node" ? isBad(item.node) : item.members.some(scope => scope.all.some(isBad));

// ---- the picture ----

function draw() {
  const { root } = visible();
  const place = placeNodes(root);
  const edges = visibleEdges(place);
  range = settings.tint ? rangeOfSizes(settings.tint) : [0, 1];
  layout(root, edges);
  const items = new Map();
  const collect = item => { items.set(item.key, item); (item.children || []).forEach(collect); };
  root.children.forEach(collect);
  picture = { root, edges, place, items };
  ["frames", "edges", "boxes"].forEach(id => $(id).replaceChildren());
  items.forEach(item => item.kind === "open" ? drawFrame(item) : drawBox(item));
  edges.forEach(drawEdge);
  legend();
  mark();
}

const button = (item, label) => ({ id: "item-" + item.key, "data-key": item.key, role: "button", tabindex: -1, "aria-label": label });

function drawFrame(item) {
  const gradients = /backward|second/.test(DATA.sides[chain(item.scope.id)[0].id]);
  const g = el("g", {
    ...button(item, `scope ${pathOf(item.scope.id)}, open`),
    class: "frame" + (gradients ? " gradients" : ""), "aria-expanded": "true",
  }, $("frames"));
  el("rect", { x: item.x, y: item.y, width: item.w, height: item.h, rx: 8 }, g);
  el("rect", { class: "handle", x: item.x, y: item.y, width: item.w, height: GAP.title + 4, rx: 8 }, g);
  el("text", { x: item.x + 10, y: item.y + 18 }, g, "▾ " + item.scope.label);
}

function drawBox(item) {
  const { fill, border, role, dark } = lookOf(item);
  const [title, below] = linesOf(item);
  const folded = item.kind !== "node";
  const label = folded ? `scope ${title}, ${below}, folded` : `${title}, ${below}, ${role}, node ${item.node.id}`;
  const g = el("g", {
    ...button(item, label),
    class: `box ${role}${dark ? " dark" : ""}`, "aria-expanded": folded ? "false" : undefined,
    transform: `translate(${item.x},${item.y})`,
  }, $("boxes"));
  const shape = { width: item.w, height: item.h, rx: folded ? 5 : item.node.leaf ? item.h / 2 : 6, fill, stroke: border };
  if (folded) { // a pile of sheets
    el("rect", { ...shape, x: 6, y: -6, class: "sheet" }, g);
    el("rect", { ...shape, x: 3, y: -3, class: "sheet" }, g);
  }
  el("rect", { ...shape, class: "body" }, g);
  el("text", { class: "title", x: item.w / 2, y: folded ? 19 : 16 }, g, folded ? "▸ " + title : title);
  el("text", { class: "below", x: item.w / 2, y: folded ? 36 : 30 }, g, below);
  if (item.kind === "run") drawStrip(item, g);
  if (notFinite(item)) el("text", { class: "alarm", x: item.w - 3, y: 3 }, g, "⚠");
  const { node, scope } = item;
  el("title", {}, g, folded ? `${pathOf(scope.id)}\n${below}` : `%${node.id} ${title}  ${node.type}\n${pathOf(node.scope)}`);
}

// One stripe per member, from the first to the last: a gradient that fades over the steps is seen.
function drawStrip(item, g) {
  const n = Math.min(item.members.length, 64), w = (item.w - 16) / n;
  el("rect", { class: "strip", x: 7, y: 43, width: item.w - 14, height: 13 }, g);
  for (let i = 0; i < n; i++) {
    const scope = item.members[Math.floor(i * item.members.length / n)];
    const fill = settings.tint ? heat(sizeOfScope(scope, settings.tint)) : DATA.looks[roleOfScope(scope)][1];
    el("rect", { class: "stripe", x: 8 + i * w, y: 44, width: Math.max(1, w - (w > 3 ? 1 : 0)), height: 11, fill }, g);
  }
}

function drawEdge(edge) {
  const { from, to } = edge;
  const across = edge.home === picture.root && !edge.bends;
  const gradients = [...edge.values].every(id => isGradient(nodes[id]));
  const g = el("g", { class: "edge" + (across ? " across" : "") + (gradients ? " gradients" : "") }, $("edges"));
  edge.path = across ? sideways(from, to) : along(from, to, edge.bends || []);
  el("path", { d: edge.path, "marker-end": "url(#arrow)" }, g);
  el("title", {}, g, [...edge.types].slice(0, 6).join("\n") + (edge.values.size > 1 ? `\n${edge.values.size} values` : ""));
  edge.element = g;
}

// A smooth way through the points between boxes: out of the side that faces the target, into the side that faces the source.
function along(from, to, bends) {
  const down = from.y + from.h / 2 <= to.y + to.h / 2;
  const points = [
    { x: from.x + from.w / 2, y: down ? from.y + from.h : from.y },
    ...bends.map(point => ({ x: point.x + point.w / 2, y: point.y })),
    { x: to.x + to.w / 2, y: down ? to.y - 2 : to.y + to.h + 2 },
  ];
  let d = `M${points[0].x} ${points[0].y}`;
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1], b = points[i], middle = (a.y + b.y) / 2;
    d += ` C${a.x} ${middle} ${b.x} ${middle} ${b.x} ${b.y}`;
  }
  return d;
}

function sideways(from, to) {
  const right = from.x < to.x;
  const a = { x: right ? from.x + from.w : from.x, y: from.y + from.h / 2 };
  const b = { x: right ? to.x - 2 : to.x + to.w + 2, y: to.y + to.h / 2 };
  const reach = Math.max(40, Math.abs(b.x - a.x) / 2) * (right ? 1 : -1);
  return `M${a.x} ${a.y} C${a.x + reach} ${a.y} ${b.x - reach} ${b.y} ${b.x} ${b.y}`;
}

function legend() {
  const room = $("legend");
  room.replaceChildren();
  const entry = (fill, border, text, className = "") => {
    const line = document.createElement("span");
    const swatch = document.createElement("i");
    swatch.style.background = fill;
    swatch.style.borderColor = border;
    swatch.className = className;
    line.append(swatch, text);
    room.append(line);
  };
  const roles = new Set(nodes.map(node => node.role));
  if (!settings.tint) {
    const leaves = new Set(nodes.filter(node => node.leaf).map(node => node.role));
    for (const role in DATA.looks) if (roles.has(role)) entry(...DATA.looks[role], leaves.has(role) ? "round" : "");
    return;
  }
  for (let i = 0; i < STOPS.length; i++) {
    const x = range[0] + (range[1] - range[0]) * i / (STOPS.length - 1);
    entry(heat(x), "#8888", i % 3 ? "" : rough(10 ** x));
  }
  entry(ZERO, "#8888", "0");
  entry(BAD, "#8888", "NaN, inf");
  entry(UNKNOWN, "#8888", "none");
}

// ---- pan and zoom ----

function show() {
  view.fitted = false;
  world.setAttribute("transform", `translate(${view.x.toFixed(2)},${view.y.toFixed(2)}) scale(${view.k.toFixed(4)})`);
}

function zoom(factor, cx = canvas.clientWidth / 2, cy = canvas.clientHeight / 2) {
  const k = Math.min(4, Math.max(0.03, view.k * factor));
  view.x = cx - (cx - view.x) * k / view.k;
  view.y = cy - (cy - view.y) * k / view.k;
  view.k = k;
  show();
}

function fit() {
  const items = picture.root.children;
  if (!items.length || !canvas.clientWidth) return; // a frame has no size at first
  const left = Math.min(...items.map(item => item.x)), top = Math.min(...items.map(item => item.y));
  const w = Math.max(...items.map(item => item.x + item.w)) - left, h = Math.max(...items.map(item => item.y + item.h)) - top;
  const legendRoom = 34;
  view.k = Math.min(1.2, (canvas.clientWidth - 40) / w, (canvas.clientHeight - 40 - legendRoom) / h);
  view.x = (canvas.clientWidth - w * view.k) / 2 - left * view.k;
  view.y = (canvas.clientHeight - legendRoom - h * view.k) / 2 - top * view.k;
  show();
  view.fitted = true;
}

function center(item) {
  view.k = Math.max(view.k, 0.7);
  view.x = canvas.clientWidth / 2 - (item.x + item.w / 2) * view.k;
  view.y = canvas.clientHeight / 2 - (item.y + item.h / 2) * view.k;
  show();
}
