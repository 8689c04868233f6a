"use strict";
// A layered layout (Sugiyama et al. 1981) of the visible items only: an open scope is laid out by itself, then stands as one
// box in the scope around it. Forward flows down, its gradient beside it flows up, what updates the parameters stands right.

const SIDES = ["forward", "backward", "second", "update"];
const GAP = { x: 16, y: 34, frame: 14, title: 24, column: 90, width: 1500 };

function layout(root, edges) {
  const depthOf = item => { let d = 0; for (let p = item.parent; p; p = p.parent) d++; return d; };
  const local = new Map(); // scope item -> the edges between its children
  for (const edge of edges) {
    let a = edge.from, b = edge.to;
    let da = depthOf(a), db = depthOf(b);
    while (da > db) { a = a.parent; da--; }
    while (db > da) { b = b.parent; db--; }
    while (a.parent !== b.parent) { a = a.parent; b = b.parent; }
    edge.home = a.parent;
    edge.ends = [a, b];
    if (!local.has(a.parent)) local.set(a.parent, []);
    local.get(a.parent).push(edge);
  }
  const sideOf = item => item.kind === "node" ? item.node.side : DATA.sides[item.scope.id];
  const columns = SIDES.map(side => root.children.filter(item => (sideOf(item) || "update") === side));
  let left = 0, tallest = 0;
  const done = [];
  for (const [i, items] of columns.entries()) {
    if (!items.length) continue;
    const inside = new Set(items);
    const mine = (local.get(root) || []).filter(edge => inside.has(edge.ends[0]) && inside.has(edge.ends[1]));
    const box = arrange(items, mine, local, i === 1);
    done.push({ items, box, left, side: SIDES[i] });
    left += box.w + GAP.column;
    tallest = Math.max(tallest, box.h);
  }
  const backward = done.find(column => column.side === "backward");
  const lowest = h => tallest - h; // the loss and the begin of its gradient are the lowest
  const besideGradients = h => Math.min(lowest(h), backward ? lowest(backward.box.h) : 0);
  const start = { forward: lowest, backward: lowest, second: besideGradients, update: besideGradients };
  for (const column of done) {
    const top = start[column.side](column.box.h);
    [...column.items, ...column.box.bends].forEach(thing => shift(thing, column.left, top));
  }
  root.children.forEach(settle);
  if (backward) {
    const twins = new Map();
    columns[0].forEach(item => noteScopes(item, twins));
    align(backward.box.rows, twins);
  }
}

// Gradients stand beside what they are the gradients of: rows move up, from the lowest on, until a scope is as high as its
// forward scope. Returns how far the topmost row has moved.
function align(rows, twins) {
  let up = 0;
  for (const row of rows) {
    const bottom = item => item.y + item.h - up;
    const wish = item => {
      const twin = item.scope && twins.get(item.members ? item.members[0].forward : item.scope.forward);
      return twin ? bottom(item) - (twin.y + twin.h) : 0;
    };
    up += Math.max(0, ...row.map(wish));
    row.forEach(item => lift(item, up));
    const grown = row.map(item => {
      if (item.kind !== "open") return 0;
      const more = align(item.rows, twins);
      item.y -= more;
      item.h += more;
      return more;
    });
    up += Math.max(0, ...grown);
  }
  return up;
}

function lift(item, by) {
  item.y -= by;
  if (item.kind === "open") [...item.children, ...item.bends].forEach(thing => lift(thing, by));
}

function noteScopes(item, found) {
  if (item.kind === "node") return;
  (item.members || [item.scope]).forEach(scope => found.set(scope.id, item));
  (item.children || []).forEach(child => noteScopes(child, found));
}

function shift(thing, x, y) {
  thing.x += x;
  thing.y += y;
}

// From places inside the scope to places in the picture.
function settle(item) {
  if (item.kind !== "open") return;
  [...item.children, ...item.bends].forEach(thing => shift(thing, item.x, item.y));
  item.children.forEach(settle);
}

// Give each item x, y (its upper left corner), w, h inside the scope; the size of the whole and the points where edges bend.
function arrange(items, edges, local, up) {
  for (const item of items) {
    if (item.kind === "open") {
      const inner = arrange(item.children, local.get(item) || [], local, up);
      item.w = Math.max(inner.w + 2 * GAP.frame, textWidth(item.scope.label, 12) + 60);
      item.h = inner.h + 2 * GAP.frame + GAP.title;
      item.bends = inner.bends;
      item.rows = inner.rows;
      [...item.children, ...item.bends].forEach(thing => shift(thing, (item.w - inner.w) / 2, GAP.frame + GAP.title));
    } else {
      [item.w, item.h] = boxSize(item);
    }
  }
  const layers = layersOf(items, edges);
  const rows = layers.flatMap(wrapLayer);
  order(rows);
  place(rows);
  return stack(rows, up);
}

// Layer = the longest way from a source; leaves move down to what reads them. Edges against the order of the tape do not count.
function layersOf(items, edges) {
  const sorted = [...items].sort(orderOf);
  sorted.forEach((item, i) => Object.assign(item, { rank: 0, turn: i, above: [], below: [] }));
  const counted = edges.filter(edge => edge.ends[0].turn < edge.ends[1].turn);
  const outgoing = new Map(sorted.map(item => [item, new Set()]));
  counted.forEach(edge => outgoing.get(edge.ends[0]).add(edge.ends[1]));
  for (const item of sorted) for (const next of outgoing.get(item)) next.rank = Math.max(next.rank, item.rank + 1);
  const incoming = new Set(counted.map(edge => edge.ends[1]));
  for (const item of [...sorted].reverse()) {
    const next = [...outgoing.get(item)].map(other => other.rank);
    if (!incoming.has(item) && next.length) item.rank = Math.min(...next) - 1;
  }
  const layers = [];
  for (const item of sorted) (layers[item.rank] = layers[item.rank] || []).push(item);
  const full = Array.from(layers, layer => layer || []);
  addBends(counted, full);
  return full.filter(layer => layer.length);
}

// Edges over several layers get points of their own in between, so that they go around boxes.
function addBends(edges, layers) {
  const ways = new Map();
  for (const edge of edges) {
    const [a, b] = edge.ends;
    const key = a.key + ">" + b.key;
    if (!ways.has(key)) {
      const bends = [];
      let before = a;
      for (let rank = a.rank + 1; rank < b.rank && b.rank - a.rank < 12; rank++) {
        const point = { bend: true, w: 6, h: 0, above: [before], below: [], turn: a.turn };
        before.below.push(point);
        layers[rank].push(point);
        bends.push(point);
        before = point;
      }
      before.below.push(b);
      b.above.push(before);
      ways.set(key, bends);
    }
    edge.bends = ways.get(key);
  }
}

function wrapLayer(layer) {
  const rows = [[]];
  let width = 0;
  for (const item of layer) {
    if (width + item.w > GAP.width && rows[rows.length - 1].length) { rows.push([]); width = 0; }
    rows[rows.length - 1].push(item);
    width += item.w + GAP.x;
  }
  return rows;
}

// Sweeps down and up: each item stands at the mean place of its neighbours.
function order(rows) {
  const index = new Map();
  const number = row => row.forEach((item, i) => index.set(item, i - row.length / 2));
  rows.forEach(number);
  for (let sweep = 0; sweep < 6; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      const weight = new Map(row.map(item => {
        const near = (down ? item.above : item.below).map(other => index.get(other)).filter(x => x !== undefined);
        return [item, near.length ? near.reduce((a, b) => a + b) / near.length : index.get(item)];
      }));
      row.sort((a, b) => weight.get(a) - weight.get(b) || a.turn - b.turn);
      number(row);
    }
  }
}

// x of the centres: near the mean of the neighbours, in the order of the row, without overlap.
function place(rows) {
  for (const row of rows) spread(row, row.map((_, i) => 0));
  for (let sweep = 0; sweep < 8; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      const wish = row.map(item => {
        const near = sweep < 6 ? (down ? item.above : item.below) : [...item.above, ...item.below];
        return near.length ? near.reduce((sum, other) => sum + other.cx, 0) / near.length : item.cx;
      });
      spread(row, wish);
    }
  }
}

// The places nearest to the wishes (least squares) that keep the gaps: isotonic regression by pooling neighbours.
function spread(row, wish) {
  const offset = [];
  let at = 0;
  row.forEach((item, i) => {
    if (i) at += (row[i - 1].w + item.w) / 2 + GAP.x;
    offset.push(at);
  });
  const pools = [];
  row.forEach((item, i) => {
    let pool = { sum: wish[i] - offset[i], n: 1 };
    while (pools.length && pools[pools.length - 1].sum / pools[pools.length - 1].n > pool.sum / pool.n) {
      const last = pools.pop();
      pool = { sum: last.sum + pool.sum, n: last.n + pool.n };
    }
    pools.push(pool);
  });
  let i = 0;
  for (const pool of pools) for (let k = 0; k < pool.n; k++, i++) row[i].cx = pool.sum / pool.n + offset[i];
}

// y row by row; in a scope that flows up the first row is the lowest. Returns the size of the whole.
function stack(rows, up) {
  const left = Math.min(0, ...rows.flat().map(item => item.cx - item.w / 2));
  let y = 0, right = 0;
  for (const row of up ? [...rows].reverse() : rows) {
    const height = Math.max(...row.map(item => item.h));
    for (const item of row) {
      item.x = item.cx - item.w / 2 - left;
      item.y = y + (height - item.h) / 2;
      right = Math.max(right, item.x + item.w);
    }
    y += height + GAP.y;
  }
  return { w: right, h: Math.max(0, y - GAP.y), bends: rows.flat().filter(item => item.bend), rows };
}
