"use strict";
// Selection, folding, search, keys; the address remembers what is selected (#n12 a node, #s5 a scope).

let selected = null; // {node} | {scope} | {run}

function itemOfScope(scope) {
  const holds = item => item.kind === "open" ? item.scope === scope : item.kind !== "node" && item.members.includes(scope);
  return [...picture.items.values()].find(holds);
}

function keyOf(selection) {
  if (!selection) return null;
  if (selection.node) { const item = picture.place(selection.node.id); return item && item.key; }
  if (selection.run) return `r${selection.run[0].id}-${selection.run[selection.run.length - 1].id}`;
  const found = itemOfScope(selection.scope);
  return found ? found.key : null;
}

function describe() {
  if (!selected) describeNothing();
  else if (selected.node) describeNode(selected.node);
  else if (selected.run) describeRun(selected.run);
  else describeScope(selected.scope);
  panel.scrollTop = 0;
}

// Show what is selected in the picture: its box, the edges that touch it with their types.
function mark() {
  canvas.querySelectorAll(".edge-label, .twin").forEach(element => element.remove());
  canvas.querySelectorAll(".selected, .near").forEach(element => element.classList.remove("selected", "near"));
  canvas.querySelectorAll("[tabindex='0']").forEach(element => element.setAttribute("tabindex", -1));
  const key = keyOf(selected), item = picture.items.get(key);
  canvas.classList.toggle("focused", Boolean(item && item.kind !== "open"));
  if (!item) return;
  const element = $("item-" + key);
  element.classList.add("selected");
  element.setAttribute("tabindex", 0);
  linkGradient(item);
  let labels = 0;
  for (const edge of picture.edges) {
    if (edge.from.key !== key && edge.to.key !== key) continue;
    edge.element.classList.add("near");
    $("edges").append(edge.element); // on top of the others
    if (labels++ < 16) labelEdge(edge);
  }
}

// From a value to its gradient, or back, if both are in sight.
function linkGradient(item) {
  if (!selected.node) return;
  for (const id of [...selected.node.grads, ...selected.node.gradientOf]) {
    const other = picture.place(id);
    if (other && other !== item) el("path", { class: "twin", d: sideways(item, other) }, $("edges"));
  }
}

function labelEdge(edge) {
  const path = edge.element.querySelector("path");
  const { x, y } = path.getPointAtLength(path.getTotalLength() / 2);
  const types = [...edge.types].map(shapeText);
  const shapes = types.length > 2 ? `${types.length} shapes` : types.join(", ");
  const text = shapes + (edge.values.size > 1 ? ` (×${edge.values.size})` : "");
  el("text", { class: "edge-label", x, y: y + 3 }, edge.element, text);
}

function select(selection, { centered = false, remember = true } = {}) {
  selected = selection;
  mark();
  describe();
  const item = picture.items.get(keyOf(selection));
  if (item && centered) center(item);
  if (remember) remembered(selection);
}

function remembered(selection) {
  const hash = !selection ? "#" : selection.node ? "#n" + selection.node.id : "#s" + (selection.scope || selection.run[0]).id;
  if (location.hash === hash || (hash === "#" && !location.hash)) return;
  try { history.pushState(null, "", hash); } catch { /* inside a notebook's frame the address cannot change */ }
}

function goTo(id, options) {
  const before = new Set(open);
  reveal(id);
  if (before.size !== open.size) draw();
  select({ node: nodes[id] }, { centered: true, ...options });
}

function goToScope(scope, options) {
  const before = open.size;
  if (scope.parent >= 0) chain(scope.parent).forEach(outer => open.add(outer.id));
  if (before !== open.size) draw();
  const item = itemOfScope(scope);
  select(item && item.kind === "run" ? { run: item.members } : { scope }, { centered: true, ...options });
}

function fromAddress() {
  const [, kind, text] = /^#([ns])(\d+)$/.exec(location.hash) || [];
  const id = Number(text);
  if (kind === "n" && id < nodes.length) goTo(id, { remember: false });
  else if (kind === "s" && id < scopes.length) goToScope(scopes[id], { remember: false });
  else select(null, { remember: false });
}

// ---- folding: what was clicked stays where it is on the screen ----

const LIMIT = 700;

function change(scope, action) {
  const spot = () => {
    const item = itemOfScope(scope);
    return item && { x: item.x + item.w / 2, y: item.y };
  };
  const before = spot(), was = new Set(open);
  action();
  const boxes = countBoxes(itemsOf(scopes[0]));
  if (boxes > LIMIT && open.size > was.size) {
    open.clear();
    was.forEach(id => open.add(id));
    say(`That would be ${boxes.toLocaleString("en")} boxes; fold something else first.`);
    return;
  }
  draw();
  const after = spot();
  if (before && after) {
    view.x += (before.x - after.x) * view.k;
    view.y += (before.y - after.y) * view.k;
    show();
  }
}

function toggle(scope) {
  change(scope, () => open.has(scope.id) ? fold(scope) : open.add(scope.id));
  select({ scope });
}

function openOne(scope) {
  change(scope, () => chain(scope.id).forEach(outer => open.add(outer.id)));
  select({ scope }, { centered: true });
}

function activate(item, unfold) {
  if (item.kind === "node") select({ node: item.node });
  else if (item.kind === "run") select({ run: item.members });
  else if (item.kind === "open") unfold ? toggle(item.scope) : select({ scope: item.scope });
  else unfold ? toggle(item.scope) : select({ scope: item.scope });
}

let timer = 0;
function say(text) {
  $("message").textContent = text;
  $("message").hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => { $("message").hidden = true; }, 5000);
}

function setViews(on) {
  settings.views = $("views").checked = on;
  draw();
}

// ---- search: every word must occur, numbers as whole numbers, "step 3" as the name that it is ----

let results = [], result = -1;
const textOf = node => {
  if (node.text === undefined) {
    const line = node.line === undefined ? "" : DATA.lines[node.line][0];
    const { id, name = "", type, role } = node;
    node.text = ["%" + id, ops[node.op].name, name, pathOf(node.scope), type, shapeText(type), role, line].join(" ").toLowerCase();
  }
  return node.text;
};

const holds = word => {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(/^\d/.test(word) ? `(^|\\D)${escaped}(\\D|$)` : /\d$/.test(word) ? `${escaped}(\\D|$)` : escaped);
};

function search(text) {
  const labels = new Set(scopes.map(scope => (scope.label || "").toLowerCase()));
  const words = [];
  for (const word of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    const both = `${words[words.length - 1]} ${word}`;
    if (labels.has(both)) words[words.length - 1] = both;
    else words.push(word);
  }
  const tests = words.map(holds);
  results = words.length ? nodes.filter(node => tests.every(test => test.test(textOf(node)))) : [];
  result = -1;
  const room = $("found");
  room.hidden = !words.length;
  const entry = node => {
    const a = link(node.id);
    a.append(make("small", "", pathOf(node.scope)));
    return a;
  };
  const said = results.length ? `${results.length.toLocaleString("en")} found; Enter goes from one to the next` : "nothing found";
  room.replaceChildren(make("p", "quiet", said), ...results.slice(0, 60).map(entry));
}

function nextResult(step) {
  if (!results.length) return;
  result = (result + step + results.length) % results.length;
  goTo(results[result].id);
  $("found").hidden = true;
  say(`${(result + 1).toLocaleString("en")} of ${results.length.toLocaleString("en")}; Enter for the next`);
}

// ---- keys, mouse, buttons ----

function jump() { // forward to gradient and back
  if (!selected || !selected.node) return;
  const node = selected.node;
  const to = [gradientOf(node), node.gradientOf[0], node.origin].find(id => id !== undefined);
  if (to === undefined) say("This node has no gradient, and is none.");
  else goTo(to);
}

function move(dx, dy) { // to the nearest box in that direction
  const here = picture.items.get(keyOf(selected));
  const boxes = [...picture.items.values()].filter(item => item.kind !== "open" && item !== here);
  const middle = item => [item.x + item.w / 2, item.y + item.h / 2];
  if (!here) { if (boxes.length) activate(boxes.sort(orderOf)[0]); return; }
  const [x, y] = middle(here);
  let best = null, least = Infinity;
  for (const item of boxes) {
    const [a, b] = middle(item);
    const ahead = (a - x) * dx + (b - y) * dy, aside = Math.abs((a - x) * dy) + Math.abs((b - y) * dx);
    if (ahead > 1 && ahead + 2 * aside < least) { best = item; least = ahead + 2 * aside; }
  }
  if (best) { activate(best); keepInSight(best); }
}

function keepInSight(item) {
  const x = item.x * view.k + view.x, y = item.y * view.k + view.y;
  if (x < 0 || y < 0 || x + item.w * view.k > canvas.clientWidth || y + item.h * view.k > canvas.clientHeight - 34) center(item);
}

const KEYS = {
  ArrowLeft: () => move(-1, 0), ArrowRight: () => move(1, 0), ArrowUp: () => move(0, -1), ArrowDown: () => move(0, 1),
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit, g: jump, "/": () => $("search").focus(),
  Escape: () => select(null),
  Enter: () => {
    const item = picture.items.get(keyOf(selected));
    if (item && item.kind === "run") openOne(item.members[0]);
    else if (item) activate(item, true);
  },
};
KEYS[" "] = KEYS.Enter;

function listen() {
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input[type=search]");
    if (typing) {
      if (event.key === "Enter") { nextResult(event.shiftKey ? -1 : 1); event.preventDefault(); }
      if (event.key === "Escape") { $("search").value = ""; search(""); canvas.focus(); }
      return;
    }
    if (event.target.matches("button, a, input, .bar") && /^(Enter| |Arrow.*)$/.test(event.key)) return;
    if (KEYS[event.key]) { KEYS[event.key](); event.preventDefault(); }
  });

  let drag = null;
  canvas.addEventListener("pointerdown", event => {
    if (event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false };
  });
  window.addEventListener("pointermove", event => {
    if (!drag) return;
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    Object.assign(drag, { x: event.clientX, y: event.clientY, moved: true });
    view.x += dx;
    view.y += dy;
    canvas.classList.add("dragged");
    show();
  });
  window.addEventListener("pointerup", event => {
    const was = drag;
    drag = null;
    canvas.classList.remove("dragged");
    if (!was || was.moved || !canvas.contains(event.target)) return;
    $("found").hidden = true;
    const element = event.target.closest("[data-key]");
    if (!element) select(null);
    else activate(picture.items.get(element.dataset.key), !element.matches(".frame") || event.target.matches(".handle"));
  });
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  $("in").onclick = () => zoom(1.25);
  $("out").onclick = () => zoom(0.8);
  $("fit").onclick = fit;
  $("folded").onclick = () => { open.clear(); open.add(0); draw(); select(null); fit(); };
  $("views").onchange = event => { setViews(event.target.checked); describe(); };
  $("tint").onchange = event => { settings.tint = event.target.value; draw(); };
  $("search").oninput = event => search(event.target.value);
  $("search").onfocus = () => { $("found").hidden = !$("search").value; };
  const bad = nodes.find(node => !node.leaf && isBad(node)) || nodes.find(isBad);
  $("bad").hidden = !bad;
  $("bad").onclick = () => goTo(bad.id);
  panel.addEventListener("click", followed);
  $("found").addEventListener("click", followed);
  let width = canvas.clientWidth, height = canvas.clientHeight;
  new ResizeObserver(() => { // what is in the middle stays there
    view.x += (canvas.clientWidth - width) / 2;
    view.y += (canvas.clientHeight - height) / 2;
    [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (view.fitted) fit();
    else show();
  }).observe(canvas);
  window.addEventListener("popstate", fromAddress);
  window.addEventListener("hashchange", fromAddress);
}

// Links lead inside the page, also where the address cannot change (a notebook's frame).
function followed(event) {
  const a = event.target.closest("a");
  if (!a) return;
  event.preventDefault();
  const target = a.getAttribute("href");
  if (target[1] === "n") goTo(Number(target.slice(2)));
  else goToScope(scopes[Number(target.slice(2))]);
  if ($("found").contains(a)) $("found").hidden = true;
}

prepare();
unfoldToFit(48);
listen();
draw();
fit();
fromAddress();
