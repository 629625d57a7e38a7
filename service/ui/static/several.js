// Several photos at once: asked about two at a time, shown as a table that can be sorted and downloaded.

import { ask } from './ask.js';
import { bestFace, readAnswer } from './answer.js';
import { toCsv } from './csv.js';
import { button, element, find, say } from './dom.js';
import { isAboutKey, lacksKey } from './key.js';
import { thumbnail } from './picture.js';
import { CannotShrink, prepare } from './shrink.js';
import { createTable } from './table.js';
import { language, t, whenLanguageChanges } from './texts.js';
import { size } from './words.js';

const AT_ONCE = 2;

let settings;
let open;
let rows = []; // { name, file, result, thumbnail }
let stop = new AbortController();
let table;
let parts;

/**
 * Prepares the view.
 *
 * @param {object} limits settings of the service.
 * @param {(row: object) => void} openPhoto shows a photo of the table.
 */
export function begin(limits, openPhoto) {
  settings = limits;
  open = openPhoto;
  whenLanguageChanges(() => rows.length && render());
}

/** Asks about photos, each a file with its name, and shows what comes. */
export async function show(photos) {
  leave();
  rows = photos.map(({ file, name }) => ({ name, file, result: null, thumbnail: null }));
  render();
  await resume();
}

/** Goes on with the photos that have not been asked about, for instance when a key has been given. */
export async function resume() {
  if (!rows.length || lacksKey(settings.key_needed)) return;
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  const waiting = rows.filter((row) => !row.result);
  const work = async () => {
    for (let row = waiting.shift(); row && !signal.aborted; row = waiting.shift()) await look(row, signal);
  };
  showProgress(true);
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (signal.aborted) return;
  table.order();
  showProgress(false);
  say(summary());
}

/** Leaves the photos that have not been asked about. */
export function leave() {
  stop.abort();
  rows = [];
}

async function look(row, signal) {
  let image = null;
  let width = 0;
  try {
    const photo = await prepare(row.file, settings);
    ({ image, width } = photo);
    const waiting = (seconds) => (parts.note.textContent = t('error.busy', { count: seconds }));
    const result = await ask(photo.blob, { signal, waiting });
    if (isAboutKey(result)) {
      stop.abort(); // the others would be refused too; all go on when there is a key
      return;
    }
    row.result = result;
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof CannotShrink)) throw error;
    const [bytes, limit] = [size(row.file.size, language()), size(settings.max_bytes, language())];
    row.result = readAnswer(413, { error: t('error.cannot_shrink', { bytes, limit }), code: 'too_large' });
  }
  if (image) row.thumbnail = thumbnail(image, bestFace(row.result)?.box, width);
  table.update(row);
  showProgress(true);
}

function render() {
  table = createTable(rows, open);
  const heading = element('h2', { tabindex: '-1' });
  const note = element('p', { class: 'note' });
  const bar = element('progress', { max: rows.length, 'aria-label': t('several.progress') });
  const cancel = button(t('several.stop'), 'stop', () => (stop.abort(), showProgress(false)));
  const csv = button(t('several.csv'), 'download', download);
  parts = { heading, note, bar, cancel, csv };
  const head = element('div', { class: 'several-head' }, element('div', {}, heading, note), element('div', { class: 'buttons' }, cancel, csv));
  find('#several').replaceChildren(head, bar, table.node);
  showProgress(rows.some((row) => !row.result) && !stop.signal.aborted);
}

function showProgress(running) {
  const done = rows.filter((row) => row.result).length;
  parts.heading.textContent = t('several.title', { count: rows.length });
  parts.note.textContent = summary();
  parts.bar.value = done;
  parts.bar.hidden = parts.cancel.hidden = !running || done === rows.length;
  parts.csv.disabled = done === 0;
}

/** How many of each kind: "7 yes, 4 no, 1 without a face". */
function summary() {
  const counts = { yes: 0, no: 0, no_face: 0, error: 0 };
  for (const { result } of rows) if (result) counts[result.state]++;
  const said = Object.entries(counts).filter(([, count]) => count);
  return said.map(([state, count]) => t(`several.${state}`, { count })).join(' · ');
}

function download() {
  const url = URL.createObjectURL(new Blob([toCsv(table.rows())], { type: 'text/csv;charset=utf-8' }));
  element('a', { href: url, download: t('several.file') }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
