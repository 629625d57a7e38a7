// The table of several photos as CSV, and in order. Pure functions: no page, no state.

import { bestFace } from './answer.js';
import { problemText } from './words.js';

export const COLUMNS = [
  'photo', 'answer', 'score', 'threshold', 'strangers_like_this', 'faces_found', 'hints', 'error', 'model_version',
];

/**
 * Rows as CSV for spreadsheets: UTF-8 with a byte order mark, a comma between fields, a point in numbers.
 *
 * @param {{name: string, result: object|null}[]} rows photos that have not been asked about are left out.
 */
export function toCsv(rows) {
  const lines = rows.filter((row) => row.result).map((row) => fields(row).map(quote).join(','));
  return `\ufeff${[COLUMNS.join(','), ...lines].join('\r\n')}\r\n`;
}

function fields({ name, result }) {
  const face = bestFace(result);
  const hints = (face?.hints ?? result.problem?.hints ?? []).map((hint) => hint.code).join(' ');
  return [
    name, result.state, face?.score, result.said.threshold, face?.strangers_like_this, face ? result.found : '', hints,
    result.state === 'error' ? problemText(result.problem) : '', result.said.model_version,
  ];
}

/** A field; a text that a spreadsheet would take for a formula gets an apostrophe in front. */
function quote(value) {
  if (value == null) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const ANSWERS = ['yes', 'no', 'no_face', 'error'];

const VALUES = {
  name: (row) => row.name,
  answer: (row) => (row.result ? ANSWERS.indexOf(row.result.state) : null),
  score: (row) => (row.result ? bestFace(row.result)?.score : null),
  strangers: (row) => (row.result ? bestFace(row.result)?.strangers_like_this : null),
  faces: (row) => row.result?.found || null,
};

/**
 * Rows in the order of a column; what has no value comes last, whichever way.
 *
 * @param {string} column a key of VALUES.
 * @param {1|-1} direction 1 for ascending.
 */
export function sorted(rows, column, direction, language) {
  const collator = new Intl.Collator(language, { numeric: true });
  const valued = rows.map((row, at) => ({ row, at, value: VALUES[column](row) ?? null }));
  const compare = (one, other) => (typeof one === 'string' ? collator.compare(one, other) : one - other);
  valued.sort((one, other) => {
    if ((one.value === null) !== (other.value === null)) return one.value === null ? 1 : -1;
    return (one.value === null ? 0 : direction * compare(one.value, other.value)) || one.at - other.at;
  });
  return valued.map(({ row }) => row);
}
