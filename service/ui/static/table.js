// The table of several photos: one row each, in the order of whichever column's heading was pressed.

import { bestFace } from './answer.js';
import { sorted } from './csv.js';
import { element, icon } from './dom.js';
import { language, t, textOr } from './texts.js';
import { problemText, scoreText, strangersText } from './words.js';

const COLUMNS = ['name', 'answer', 'score', 'strangers', 'faces'];
const ICONS = { yes: 'yes', no: 'no', no_face: 'no-face', error: 'alert' };

/**
 * A table.
 *
 * @param {object[]} all rows with name, result (null while there is none) and thumbnail.
 * @param {(row: object) => void} open called with the row whose name was pressed.
 */
export function createTable(all, open) {
  const places = new Map(all.map((row) => [row, element('tr')]));
  const body = element('tbody', {}, ...places.values());
  const headings = COLUMNS.map((column) => heading(column, () => press(column)));
  const head = element('thead', {}, element('tr', {}, element('th', { class: 'thumb' }, element('span', { class: 'unseen' }, t('table.thumb'))), ...headings));
  const node = element('table', {}, element('caption', { class: 'unseen' }, t('table.caption')), head, body);
  let [rows, by, direction] = [all, null, 1];
  all.forEach(update);

  function press(column) {
    direction = by === column ? -direction : column === 'name' || column === 'answer' ? 1 : -1;
    by = column;
    order();
  }

  /** Puts the rows in the order of the column that was chosen. */
  function order() {
    if (!by) return;
    rows = sorted(all, by, direction, language());
    body.append(...rows.map((row) => places.get(row)));
    headings.forEach((one, at) => {
      const chosen = COLUMNS[at] === by;
      if (chosen) one.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
      else one.removeAttribute('aria-sort');
    });
  }

  /** Shows what is known of a row by now. */
  function update(row) {
    places.get(row).replaceChildren(...cells(row, open));
    if (row.result && bestFace(row.result)?.strangers_like_this != null) node.classList.add('strangers-known');
  }

  return { node, update, order, rows: () => rows };
}

function heading(column, onclick) {
  const press = element('button', { type: 'button', onclick }, element('span', {}, t(`table.${column}`)), icon('up'));
  return element('th', { class: column, scope: 'col' }, press);
}

function cells(row, open) {
  const { name, result } = row;
  const face = result && bestFace(result);
  const press = element('button', { type: 'button', class: 'link', onclick: () => open(row) }, name);
  const note = result && noteOn(result, face);
  const first = element('th', { class: 'name', scope: 'row' }, press, note && element('span', { class: 'note' }, note));
  const answer = result
    ? element('span', { class: `answer ${result.state}` }, icon(ICONS[result.state]), element('span', {}, t(`answer.${result.state}`)))
    : element('span', { class: 'note' }, t('answer.none'));
  return [
    element('td', { class: 'thumb' }, row.thumbnail ?? element('span', { class: 'thumbnail empty' })),
    first,
    element('td', { class: 'answer' }, answer),
    element('td', { class: 'score' }, ...(face ? score(face, result.said.threshold) : ['–'])),
    element('td', { class: 'strangers' }, face ? share(face) : '–'),
    element('td', { class: 'faces' }, face ? String(result.found) : '–'),
  ];
}

function score(face, threshold) {
  const bar = element('span', { class: `bar ${face.is_me ? 'yes' : 'no'}` }, element('span', { class: 'bar-fill' }));
  bar.style.setProperty('--score', `${100 * face.score}%`);
  bar.style.setProperty('--threshold', `${100 * threshold}%`);
  return [element('span', { class: 'number' }, scoreText(face.score, threshold, language())), bar];
}

function share(face) {
  const text = strangersText(face.strangers_like_this, language());
  return text ? t(text.short, text.values) : '–';
}

/** Why there is no answer, or what would help: in a few words. */
function noteOn(result, face) {
  if (result.state === 'error') return problemText(result.problem);
  const hints = face ? face.hints : result.problem.hints;
  return (hints ?? []).map((hint) => textOr(`hint.${hint.code}`, hint.text)).join(', ');
}
