// Points on a canvas: where they are on the screen, how they are drawn, which of them lie in a shape.

// Okabe and Ito's colours without black, yellow (too pale on white); classes beyond six differ by shape as well.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];
const SHAPES = ["circle", "square", "triangle", "cross"];
export const GREY = "#8d939b";

export const classStyle = (number) => ({
  colour: COLOURS[number % COLOURS.length],
  shape: SHAPES[Math.floor(number / COLOURS.length) % SHAPES.length],
});

function add(path, shape, x, y, r) {
  if (shape === "circle" || shape === "ring") {
    path.moveTo(x + r, y);
    path.arc(x, y, r, 0, 2 * Math.PI);
  } else if (shape === "square") {
    path.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  } else if (shape === "triangle") {
    path.moveTo(x, y - 1.2 * r);
    path.lineTo(x + 1.1 * r, y + 0.8 * r);
    path.lineTo(x - 1.1 * r, y + 0.8 * r);
    path.closePath();
  } else {
    path.moveTo(x - r, y - r);
    path.lineTo(x + r, y + r);
    path.moveTo(x + r, y - r);
    path.lineTo(x - r, y + r);
  }
}

function paint(context, style, path) {
  if (style.shape === "cross" || style.shape === "ring") {
    context.strokeStyle = style.colour;
    context.lineWidth = style.shape === "ring" ? 1 : 1.6;
    context.stroke(path);
  } else {
    context.fillStyle = style.colour;
    context.fill(path);
  }
}

export function drawSample(canvas, style) {
  const context = fit(canvas, 16, 16);
  const path = new Path2D();
  add(path, style.shape, 8, 8, 5);
  paint(context, style, path);
}

// A canvas's context in CSS pixels, sharp on any screen.
function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return context;
}

// The part of the plane that is in sight.
export class View {
  constructor(xs, ys) {
    this.xs = xs;
    this.ys = ys;
    this.width = 1;
    this.height = 1;
    this.all();
  }

  all() {
    const range = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
    const [[left, right], [bottom, top]] = [range(this.xs), range(this.ys)];
    this.middle = [(left + right) / 2, (bottom + top) / 2];
    this.span = [Math.max(right - left, 1e-9) * 1.06, Math.max(top - bottom, 1e-9) * 1.06];
  }

  toScreen(place) {
    return [
      this.width * (0.5 + (this.xs[place] - this.middle[0]) / this.span[0]),
      this.height * (0.5 - (this.ys[place] - this.middle[1]) / this.span[1]),
    ];
  }

  // What lies under (x, y) stays there.
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const off = [x / this.width - 0.5, 0.5 - y / this.height];
    this.middle = this.middle.map((value, axis) => value + off[axis] * this.span[axis] * (1 - factor));
    this.span = this.span.map((value) => value * factor);
  }

  move(dx, dy) {
    this.middle[0] -= (dx / this.width) * this.span[0];
    this.middle[1] += (dy / this.height) * this.span[1];
  }

  nearest(x, y, within, allowed) {
    let best = null;
    let closest = within * within;
    for (let place = 0; place < this.xs.length; place += 1) {
      const [px, py] = this.toScreen(place);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < closest && allowed(place)) [best, closest] = [place, distance];
    }
    return best;
  }

  inside(polygon, allowed) {
    const found = [];
    for (let place = 0; place < this.xs.length; place += 1) {
      if (allowed(place) && contains(polygon, ...this.toScreen(place))) found.push(place);
    }
    return found;
  }
}

// Whether a point lies in a polygon: a ray from it crosses the outline an odd number of times.
export function contains(polygon, x, y) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [[xi, yi], [xj, yj]] = [polygon[i], polygon[j]];
    if ((yi > y) !== (yj > y) && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

export const boxOf = ([x, y], [u, v]) => [[x, y], [u, y], [u, v], [x, v]];

// `styleOf(place)` gives {colour, shape, faint}; points of one style are one path, or 10,000 would be slow.
export function drawPoints(canvas, view, styleOf) {
  const context = fit(canvas, view.width, view.height);
  const paths = new Map();
  const radius = view.xs.length > 2000 ? 2.6 : 4;
  for (let place = 0; place < view.xs.length; place += 1) {
    const [x, y] = view.toScreen(place);
    if (x < -9 || y < -9 || x > view.width + 9 || y > view.height + 9) continue;
    const style = styleOf(place);
    const id = `${style.faint ? 0 : 1}${style.shape}${style.colour}`;
    if (!paths.has(id)) paths.set(id, { style, path: new Path2D() });
    add(paths.get(id).path, style.shape, x, y, radius);
  }
  for (const [, { style, path }] of [...paths].sort(([one], [other]) => (one < other ? -1 : 1))) {
    context.globalAlpha = style.faint ? 0.12 : 0.85;
    paint(context, style, path);
  }
}

// What changes with the mouse, on a canvas of its own: rings, the shape being drawn, the keyboard's cross.
export function drawMarks(canvas, view, { rings, strong, shape, cross, ink, link }) {
  const context = fit(canvas, view.width, view.height);
  const ring = (places, width, r) => {
    context.lineWidth = width;
    context.beginPath();
    for (const place of places) {
      const [x, y] = view.toScreen(place);
      context.moveTo(x + r, y);
      context.arc(x, y, r, 0, 2 * Math.PI);
    }
    context.stroke();
  };
  context.strokeStyle = ink;
  ring(rings, 1.4, 5);
  context.strokeStyle = link;
  if (strong !== null) ring([strong], 4, 10);
  context.strokeStyle = ink;
  if (shape.length) {
    context.setLineDash([5, 4]);
    context.lineWidth = 2;
    context.beginPath();
    shape.forEach(([x, y]) => context.lineTo(x, y));
    context.closePath();
    context.stroke();
    context.setLineDash([]);
  }
  if (cross) {
    const [x, y] = cross;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x - 12, y);
    context.lineTo(x + 12, y);
    context.moveTo(x, y - 12);
    context.lineTo(x, y + 12);
    context.stroke();
  }
}
