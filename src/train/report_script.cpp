// SPDX-License-Identifier: Apache-2.0
// The report's JavaScript: values under the pointer, and the timeline's canvas. Text enters the page as text
// only (textContent, fillText), never as markup.
#include "train/report_assets.h"

namespace pleat::train {

const std::string_view kReportScript = R"js(
'use strict';
const tip = document.querySelector('.tip');
function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const left = x + 16 + tip.offsetWidth > innerWidth ? x - 16 - tip.offsetWidth : x + 16;
  tip.style.transform = `translate(${Math.max(4, left)}px,${Math.max(4, y - tip.offsetHeight - 12)}px)`;
}
function hideTip() { tip.hidden = true; }
function say(v) {
  if (v === null) return 'not finite';
  const size = Math.abs(v);
  if (v !== 0 && size < 1e-3) return v.toExponential(2);
  return v.toLocaleString('en-US', size >= 1e4 ? {maximumFractionDigits: 0} : {maximumSignificantDigits: 4});
}
function nearest(points, x) {
  let low = 0, high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < x) low = middle + 1; else high = middle;
  }
  return low > 0 && x - points[low - 1][0] < points[low][0] - x ? low - 1 : low;
}
function hoverable(plot) {
  const {x: [x0, x1], y: [y0, y1], log, points} = JSON.parse(plot.dataset.plot);
  if (!points.length) return;
  const area = plot.querySelector('.area'), cross = document.createElement('div'), knob = document.createElement('div');
  cross.className = 'cross'; knob.className = 'knob';
  let current = -1;
  function select(index) {
    current = Math.max(0, Math.min(points.length - 1, index));
    const [step, value, average] = points[current], box = area.getBoundingClientRect();
    const shown = average ?? value, across = (step - x0) / (x1 - x0);
    const up = shown === null ? 0 : log ? Math.log(shown / y0) / Math.log(y1 / y0) : (shown - y0) / (y1 - y0);
    cross.style.left = knob.style.left = `${100 * across}%`;
    knob.style.bottom = `${100 * up}%`;
    knob.hidden = shown === null;
    area.append(cross, knob);
    showTip(`step ${step.toLocaleString('en-US')}\n${say(value)}` + (average == null ? '' : `  (average ${say(average)})`),
            box.left + across * box.width, box.top + (1 - up) * box.height);
  }
  function leave() { current = -1; cross.remove(); knob.remove(); hideTip(); }
  area.addEventListener('pointermove', event => {
    const box = area.getBoundingClientRect();
    select(nearest(points, x0 + (x1 - x0) * (event.clientX - box.left) / box.width));
  });
  area.addEventListener('pointerleave', leave);
  area.addEventListener('blur', leave);
  area.addEventListener('keydown', event => {
    const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (move) { select(current < 0 ? points.length - 1 : current + move); event.preventDefault(); }
  });
}
document.querySelectorAll('[data-plot]').forEach(hoverable);

function time(ns, step) {
  const [unit, name] = (step || ns) >= 1e9 ? [1e9, 's'] : (step || ns) >= 1e6 || ns >= 1e7 ? [1e6, 'ms'] : [1e3, 'µs'];
  const decimals = step ? Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9)) : ns / unit < 10 ? 2 : ns / unit < 100 ? 1 : 0;
  return `${(ns / unit).toFixed(decimals)} ${name}`;
}
function timeline(figure) {
  const data = JSON.parse(figure.querySelector('script').textContent), HEAD = 26, ROW = 15, PAD = 5;
  const both = data.lanes.some(l => l.predicted.length) && data.lanes.some(l => l.measured.length);
  const sources = both ? ['predicted', 'measured'] : data.lanes.some(l => l.predicted.length) ? ['predicted'] : ['measured'];
  const laneHeight = Math.max(2, sources.length) * ROW + 2 * PAD, canvas = figure.querySelector('canvas');
  const box = figure.querySelector('.canvas'), selection = figure.querySelector('.selection'), rows = [];
  data.lanes.forEach((lane, i) => {
    const name = document.createElement('div'), label = document.createElement('span');
    name.style.height = `${laneHeight}px`;
    name.style.padding = `${PAD}px 0`;
    if (!i || data.lanes[i - 1].rank !== lane.rank) name.className = 'first';
    label.textContent = `rank ${lane.rank} · ${lane.queue}`;
    name.append(label);
    sources.forEach((source, k) => {
      const kind = document.createElement('em');
      kind.textContent = source;
      name.append(kind);
      rows.push({spans: lane[source], label: `rank ${lane.rank} · ${lane.queue} · ${source}`,
                 y: HEAD + i * laneHeight + PAD + k * ROW, first: name.className && !k});
    });
    figure.querySelector('.names').append(name);
  });
  const height = HEAD + data.lanes.length * laneHeight;
  box.style.height = `${height}px`;
  const end = Math.max(1, data.end);
  let from = 0, to = end, anchor = null;
  const at = event => from + (to - from) * (event.clientX - box.getBoundingClientRect().left) / box.clientWidth;
  function view(a, b) {
    const width = Math.min(end, Math.max(1000, b - a));
    from = Math.max(0, Math.min(end - width, a));
    to = from + width;
    requestAnimationFrame(draw);
  }
  function ticks(paint, width, colour) {
    const raw = (to - from) / Math.max(2, width / 110), power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find(f => f * power >= raw) * power;
    paint.textBaseline = 'middle';
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      const x = Math.round((t - from) / (to - from) * width) + .5;
      paint.fillStyle = colour('--grid');
      paint.fillRect(x - .5, HEAD - 4, 1, height);
      paint.fillStyle = colour('--muted');
      paint.textAlign = x < 20 ? 'left' : x > width - 28 ? 'right' : 'center';
      paint.fillText(time(t, step), Math.min(Math.max(x, 2), width - 2), HEAD / 2 - 1);
    }
  }
  function draw() {
    const width = box.clientWidth, scale = devicePixelRatio || 1, style = getComputedStyle(document.documentElement);
    const colour = name => style.getPropertyValue(name).trim();
    canvas.width = width * scale; canvas.height = height * scale;
    const paint = canvas.getContext('2d'), colours = data.kinds.map(([, k]) => colour(`--k${k}`)), ink = colour('--onbar');
    paint.scale(scale, scale);
    paint.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    ticks(paint, width, colour);
    for (const row of rows) {
      paint.fillStyle = colour('--line');
      if (row.first && row.y > HEAD + PAD) paint.fillRect(0, row.y - PAD, width, 1);
      const s = row.spans;
      for (let i = 0; i < s.length; i += 4) {
        if (s[i] + s[i + 1] < from || s[i] > to) continue;
        const x = (s[i] - from) / (to - from) * width, w = s[i + 1] / (to - from) * width;
        paint.fillStyle = colours[s[i + 3]];
        paint.fillRect(x, row.y + 1, Math.max(.6, w > 3 ? w - .5 : w), ROW - 3);
        const left = Math.max(0, x), room = Math.min(width, x + w) - left - 8;
        if (room < 26) continue;
        const text = data.names[s[i + 2]];
        if (paint.measureText(text).width > room) continue;
        paint.fillStyle = ink; paint.textAlign = 'left';
        paint.fillText(text, left + 4, row.y + ROW / 2);
      }
    }
  }
  function spanAt(event) {
    const y = event.clientY - box.getBoundingClientRect().top, t = at(event), slack = 1.5 * (to - from) / box.clientWidth;
    const row = rows.find(r => y >= r.y && y < r.y + ROW);
    if (!row) return null;
    let best = null, distance = slack;
    for (let i = 0; i < row.spans.length; i += 4) {
      const away = Math.max(row.spans[i] - t, t - row.spans[i] - row.spans[i + 1], 0);
      if (away <= distance) { best = [row, i]; distance = away; }
    }
    return best;
  }
  box.addEventListener('pointerdown', event => {
    if (event.button || event.pointerType === 'touch') return;
    anchor = event.clientX; box.setPointerCapture(event.pointerId); event.preventDefault(); box.focus({preventScroll: true});
  });
  box.addEventListener('pointermove', event => {
    if (anchor !== null) {
      const left = box.getBoundingClientRect().left;
      selection.style.left = `${Math.min(anchor, event.clientX) - left}px`;
      selection.style.width = `${Math.abs(anchor - event.clientX)}px`;
      showTip(time(Math.abs(anchor - event.clientX) / box.clientWidth * (to - from)), event.clientX, event.clientY);
      return;
    }
    const found = spanAt(event);
    if (!found) return hideTip();
    const [row, i] = found, s = row.spans, kind = data.kinds[s[i + 3]][0];
    showTip(`${data.names[s[i + 2]]}\n${kind}, ${time(s[i + 1])} from ${time(s[i])}\n${row.label}`, event.clientX, event.clientY);
  });
  box.addEventListener('pointerup', event => {
    if (anchor === null) return;
    const left = box.getBoundingClientRect().left, width = box.clientWidth;
    const [a, b] = [Math.min(anchor, event.clientX), Math.max(anchor, event.clientX)]
      .map(x => from + (to - from) * Math.max(0, Math.min(1, (x - left) / width)));
    const dragged = Math.abs(event.clientX - anchor) > 4;
    anchor = null; selection.style.width = 0; hideTip();
    if (dragged) view(a, b);
  });
  box.addEventListener('pointerleave', hideTip);
  box.addEventListener('dblclick', () => view(0, end));
  const zoom = (factor, centre) => view(centre - (centre - from) / factor, centre + (to - centre) / factor);
  box.addEventListener('wheel', event => {
    const span = to - from;
    if (event.ctrlKey) zoom(Math.exp(-event.deltaY / 200), at(event));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && span < end) view(from + event.deltaX / box.clientWidth * span, to + event.deltaX / box.clientWidth * span);
    else return;
    hideTip(); event.preventDefault();
  }, {passive: false});
  box.addEventListener('keydown', event => {
    const step = {ArrowLeft: -.2, ArrowRight: .2}[event.key];
    if (step) view(from + step * (to - from), to + step * (to - from));
    else if (event.key === '+') zoom(2, (from + to) / 2);
    else if (event.key === '-') zoom(.5, (from + to) / 2);
    else return;
    event.preventDefault();
  });
  figure.querySelectorAll('[data-zoom]').forEach(button => button.addEventListener('click', () => {
    const factor = +button.dataset.zoom;
    if (factor) zoom(factor, (from + to) / 2); else view(0, end);
  }));
  addEventListener('resize', draw);
  addEventListener('beforeprint', draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  draw();
}
document.querySelectorAll('.timeline').forEach(timeline);
)js";

}  // namespace pleat::train
