'use strict';
// The page is complete without this: it adds sorting, a filter, opening boxes of the icicle, and prints what is folded.
// Nothing is ever made of text here but text.

function make(name, attributes, text) {
  const element = document.createElement(name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text) element.textContent = text;
  return element;
}

// ---- tables ----

function keyOf(row, column) {
  const cell = row.cells[column];
  return cell.dataset.v !== undefined ? BigInt(cell.dataset.v) : cell.classList.contains('n') ? null : cell.textContent;
}

// What is missing comes last whichever way.
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === 'string' ? a.localeCompare(b) : a < b ? -1 : a > b ? 1 : 0);
}

function sortBy(table, head, column) {
  const was = head.getAttribute('aria-sort');
  const first = head.classList.contains('n') ? 'descending' : 'ascending';
  const order = was === null ? first : was === 'ascending' ? 'descending' : 'ascending';
  for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', order);
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, row => [keyOf(row, column), row]);
  rows.sort((a, b) => compare(a[0], b[0], order === 'ascending' ? 1 : -1));
  body.append(...rows.map(pair => pair[1]));
}

for (const table of document.querySelectorAll('table.sortable'))
  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = make('button', {type: 'button', title: 'Sort'}, head.textContent);
    head.replaceChildren(button);
    button.addEventListener('click', () => sortBy(table, head, column));
  });

for (const table of document.querySelectorAll('table.filterable')) {
  const label = make('label', {class: 'filter'}, 'Filter ');
  const input = make('input', {type: 'search', placeholder: 'part of a name ( / )', autocomplete: 'off', spellcheck: 'false'});
  const said = make('output', {});
  const rows = Array.from(table.tBodies[0].rows, row => [row.cells[0].textContent.toLowerCase(), row]);
  label.append(input, said);
  table.closest('.wide').before(label);
  input.addEventListener('input', () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const [name, row] of rows) {
      row.hidden = !name.includes(wanted);
      shown += !row.hidden;
    }
    said.textContent = wanted ? shown + ' of ' + rows.length : '';
  });
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.target.tagName === 'INPUT') return;
    event.preventDefault();
    input.focus();
  });
}

// ---- the icicle ----

function openIcicle(icicle) {
  const said = document.getElementById('icicle-said');
  const boxes = Array.from(icicle.querySelectorAll('.box'), element => ({
    element,
    up: Number(element.dataset.up),
    title: element.querySelector('title').textContent,
    x: parseFloat(element.getAttribute('x')),
    width: parseFloat(element.getAttribute('width')),
    below: [],
  }));
  boxes.forEach((box, number) => { if (number) boxes[box.up].below.push(number); });
  let opened = 0;
  let chosen = 0;

  function isAbove(number, other) {
    for (; other; other = boxes[other].up) if (number === other) return true;
    return number === 0;
  }
  function fit() {
    const pixels = icicle.clientWidth / 100;
    for (const box of boxes) box.element.classList.toggle('narrow', parseFloat(box.element.getAttribute('width')) * pixels < 34);
  }
  function open(number) {
    const top = boxes[number];
    opened = number;
    boxes.forEach((box, other) => {
      const above = other !== number && isAbove(other, number), inside = isAbove(number, other);
      box.element.classList.toggle('away', !above && !inside);
      box.element.classList.toggle('above', above);
      box.element.setAttribute('x', above ? '0%' : 100 * (box.x - top.x) / top.width + '%');
      box.element.setAttribute('width', above ? '100%' : 100 * box.width / top.width + '%');
    });
    choose(number);
    fit();
  }
  function choose(number) {
    boxes[chosen].element.setAttribute('tabindex', '-1');
    boxes[chosen].element.classList.remove('here');
    chosen = number;
    boxes[chosen].element.setAttribute('tabindex', '0');
    boxes[chosen].element.classList.add('here');
    said.textContent = boxes[chosen].title;
  }
  function go(number) {
    if (number === undefined) return;
    if (boxes[number].element.classList.contains('away')) open(number);
    choose(number);
    boxes[number].element.focus();
  }
  function beside(step) {
    const row = chosen ? boxes[boxes[chosen].up].below : [0];
    return row[row.indexOf(chosen) + step];
  }
  const keys = {
    ArrowDown: () => go(boxes[chosen].below[0]),
    ArrowUp: () => go(boxes[chosen].up),
    ArrowLeft: () => go(beside(-1)),
    ArrowRight: () => go(beside(1)),
    Enter: () => open(chosen),
    ' ': () => open(chosen),
    Escape: () => { open(boxes[opened].up); go(opened); },
    Backspace: () => { open(boxes[opened].up); go(opened); },
    Home: () => { open(0); go(0); },
  };
  icicle.addEventListener('keydown', event => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  boxes.forEach((box, number) => {
    box.element.setAttribute('tabindex', number ? '-1' : '0');
    box.element.setAttribute('role', 'button');
    box.element.setAttribute('aria-label', box.title);
    box.element.addEventListener('click', () => { open(number); box.element.focus({preventScroll: true}); });
    box.element.addEventListener('mouseenter', () => { said.textContent = box.title; });
  });
  icicle.addEventListener('mouseleave', () => { said.textContent = boxes[chosen].title; });
  new ResizeObserver(fit).observe(icicle);
  fit();
  said.textContent = 'Each box keeps what stands below it, and is as wide as what it keeps. Click a box to open it; ' +
    'or go with the arrow keys, open with Enter, back with Escape.';
}

const icicle = document.getElementById('icicle');
if (icicle) openIcicle(icicle);

// ---- paper, and where one is ----

let unfolded = [];
window.addEventListener('beforeprint', () => {
  unfolded = Array.from(document.querySelectorAll('details:not([open])'));
  for (const details of unfolded) details.open = true;
});
window.addEventListener('afterprint', () => {
  for (const details of unfolded) details.open = false;
});

const links = new Map(Array.from(document.querySelectorAll('nav a'), a => [a.hash.slice(1), a]));
const observer = new IntersectionObserver(entries => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute('aria-current');
    links.get(entry.target.id).setAttribute('aria-current', 'true');
  }
}, {rootMargin: '-20% 0px -70% 0px'});
for (const section of document.querySelectorAll('section')) observer.observe(section);
