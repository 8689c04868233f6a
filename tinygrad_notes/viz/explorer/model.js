"use strict";
// The data of the page, and which part of it is visible: nodes stand in a tree of scopes; a scope is folded (one box) or open.

const DATA = JSON.parse(document.getElementById("data").textContent);
const nodes = DATA.nodes, ops = DATA.ops;
const scopes = DATA.scopes.map(([parent, name, index, mirror], id) => (
  { id, parent, name, index, mirror, kids: [], nodes: [], all: [] } // nodes: its own, all: with those of its kids
));
const open = new Set([0]);
const settings = { views: false, tint: "" };
const STACK = 4; // so many scopes of one name under one parent are shown as a pile

function prepare() {
  nodes.forEach((node, id) => {
    Object.assign(node, { id, in: node.in || [], grads: node.grads || [], kind: ops[node.op].kind });
    Object.assign(node, { readers: [], rule: [], gradientOf: [] }); // who reads it, what its VJP rules recorded, whose gradient
    node.leaf = node.kind === "leaf";
  });
  nodes.forEach(node => {
    node.in.forEach(source => typeof source === "number" && nodes[source].readers.push(node.id));
    node.grads.forEach(g => nodes[g].gradientOf.push(node.id));
    if (node.origin !== undefined) nodes[node.origin].rule.push(node.id);
  });
  // a leaf comes right before what first reads it
  nodes.forEach(node => { node.order = node.leaf && node.readers.length ? Math.min(...node.readers) - 0.5 : node.id; });
  scopes.forEach(scope => { if (scope.parent >= 0) scopes[scope.parent].kids.push(scope); });
  nodes.forEach(node => {
    if (node.leaf && !node.readers.length && !node.gradientOf.length) return; // nothing reads it
    scopes[node.scope].nodes.push(node);
    for (let s = scopes[node.scope]; s; s = scopes[s.parent]) s.all.push(node);
  });
  scopes.forEach(scope => {
    scope.order = scope.all.reduce((least, node) => Math.min(least, node.order), Infinity);
    scope.kids.sort((a, b) => a.order - b.order);
    if (scope.mirror !== null) scopes[scope.mirror].forward = scope.id;
  });
  scopes.forEach(scope => { scope.kids = scope.kids.filter(kid => kid.all.length); });
  scopes.forEach(nameKids);
}
const orderOf = (a, b) => a.order - b.order;

// "step 3" as the model says; several calls without an index get numbers, gradients those of their forward scope
function nameKids(scope) {
  const byName = new Map();
  for (const kid of scope.kids) byName.set(kid.name, [...(byName.get(kid.name) || []), kid]);
  scope.groups = byName;
  for (const [name, kids] of byName) {
    kids.forEach((kid, i) => {
      const twin = kid.forward !== undefined ? scopes[kid.forward] : null;
      if (kid.index !== null) kid.label = `${name} ${kid.index}`.trim();
      else if (kids.length === 1) kid.label = name;
      else kid.label = twin && twin.label ? twin.label : `${name} #${i + 1}`;
    });
  }
}

function chain(id) { // from the outermost scope to this one, the root left out
  const found = [];
  for (let s = scopes[id]; s.parent >= 0; s = scopes[s.parent]) found.unshift(s);
  return found;
}
const pathOf = id => chain(id).map(s => s.label).join("/");

// ---- what is visible: items ----
// {kind: "node" | "scope" | "run" | "open", key, order, node?, scope?, members?, children?}
// A run is several folded scopes of one name in a row, its members; a folded scope has itself as its only member.

function visible() {
  return { root: { kind: "open", key: "s0", scope: scopes[0], children: itemsOf(scopes[0]) } };
}

function itemsOf(scope) {
  const items = scope.nodes.filter(shown).map(node => ({ kind: "node", key: "n" + node.id, order: node.order, node }));
  for (const kids of scope.groups.values()) {
    let run = [];
    const close = () => {
      const folded = { order: run.length && run[0].order, members: run, scope: run[0] };
      if (run.length > 1) items.push({ kind: "run", key: `r${run[0].id}-${run[run.length - 1].id}`, ...folded });
      else if (run.length) items.push({ kind: "scope", key: "s" + run[0].id, ...folded });
      run = [];
    };
    for (const kid of kids) {
      if (open.has(kid.id)) {
        close();
        items.push({ kind: "open", key: "s" + kid.id, order: kid.order, scope: kid, children: itemsOf(kid) });
      } else {
        if (kids.length < STACK) close();
        run.push(kid);
      }
    }
    close();
  }
  return items.sort(orderOf);
}

const through = node => node.kind === "view" && !settings.views && node.readers.length > 0; // part of the edges
function shown(node) {
  if (through(node)) return false;
  return !node.leaf || node.readers.length > 0;
}

function countBoxes(items) {
  return items.reduce((sum, item) => sum + (item.kind === "open" ? countBoxes(item.children) : 1), 0);
}

// Open scopes level by level, as long as the picture stays easy to take in.
function unfoldToFit(limit) {
  let level = [scopes[0]];
  while (level.length) {
    const next = [];
    for (const scope of level) {
      for (const kids of scope.groups.values()) {
        if (kids.length >= STACK) continue;
        for (const kid of kids) {
          const before = countBoxes(itemsOf(scopes[0]));
          open.add(kid.id);
          const after = countBoxes(itemsOf(scopes[0]));
          if (after > limit || after > before + 20) open.delete(kid.id);
          else next.push(kid);
        }
      }
    }
    level = next;
  }
}

function reveal(id) {
  const node = nodes[id];
  if (!shown(node) && node.kind === "view") setViews(true);
  chain(node.scope).forEach(scope => open.add(scope.id));
}

// Close a scope and everything in it.
function fold(scope) {
  open.delete(scope.id);
  scope.kids.forEach(fold);
}

// Where a node is to be seen: its own box or that of the outermost folded scope around it.
function placeNodes(root) {
  const ofScope = new Map(), ofNode = new Map();
  const walk = item => {
    if (item.kind === "node") ofNode.set(item.node.id, item);
    else if (item.kind === "open") item.children.forEach(child => { child.parent = item; walk(child); });
    else for (const member of item.members) ofScope.set(member.id, item);
  };
  walk(root);
  return id => {
    for (const scope of chain(nodes[id].scope)) {
      if (ofScope.has(scope.id)) return ofScope.get(scope.id);
    }
    return ofNode.get(id);
  };
}

// The values that flow between visible items: {from, to, values: Set of source nodes}
function visibleEdges(place) {
  const found = new Map();
  for (const node of nodes) {
    if (through(node)) continue;
    const to = place(node.id);
    if (!to) continue;
    for (let source of node.in) {
      if (typeof source !== "number") continue;
      const given = source;
      while (through(nodes[source])) source = nodes[source].in[0];
      const from = place(source);
      if (!from || from === to) continue;
      const key = from.key + ">" + to.key;
      if (!found.has(key)) found.set(key, { key, from, to, values: new Set(), types: new Set() });
      found.get(key).values.add(source);
      found.get(key).types.add(nodes[given].type);
    }
  }
  return [...found.values()];
}

// ---- how large things are: norms for the tint, as powers of ten ----

const isBad = node => Boolean(node.stats && (node.stats.nan || node.stats.inf));
const isGradient = node => node.role === "gradient" || node.role === "second";

function statsFor(node, tint) {
  if (tint === "value" || isGradient(node)) return node.stats;
  const gradient = gradientOf(node);
  return gradient === undefined ? undefined : nodes[gradient].stats;
}

// The number of the node that holds the gradient: of the last pass, but not of one that derives gradients again.
function gradientOf(node) {
  const own = node.grads.filter(id => nodes[id].role !== "second");
  return (own.length ? own : node.grads).at(-1);
}

// The decimal logarithm of a node's norm: -Infinity for 0, NaN where something is not finite, undefined where it is not known.
function size(node, tint) {
  const stats = node.type.startsWith("f") ? statsFor(node, tint) : undefined;
  if (!stats) return undefined;
  if (stats.nan || stats.inf) return NaN;
  return stats.norm === undefined ? undefined : Math.log10(stats.norm);
}

function median(sizes) { // of those that are known; NaN as soon as one is
  const known = sizes.filter(x => x !== undefined);
  return known.some(Number.isNaN) ? NaN : known.sort((a, b) => a - b)[known.length >> 1];
}

const sizesOfScopes = new Map();
function sizeOfScope(scope, tint) {
  const key = tint + scope.id;
  if (!sizesOfScopes.has(key)) {
    const counted = scope.all.filter(node => !node.leaf || node.role === "parameter");
    sizesOfScopes.set(key, median(counted.map(node => size(node, tint))));
  }
  return sizesOfScopes.get(key);
}

function rangeOfSizes(tint) {
  let low = Infinity, high = -Infinity;
  for (const node of nodes) {
    const x = size(node, tint);
    if (Number.isFinite(x)) { low = Math.min(low, x); high = Math.max(high, x); }
  }
  if (low > high) return [-2, 2];
  const lacking = Math.max(0, 4 - (high - low)) / 2; // norms that hardly differ shall not look as if they did
  return [low - lacking, high + lacking];
}
