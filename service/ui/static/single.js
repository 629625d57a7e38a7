// One photo: the picture with its faces on one side, the verdict on the other.

import { ask } from './ask.js';
import { readAnswer } from './answer.js';
import { button, element, find } from './dom.js';
import { isAboutKey, lacksKey } from './key.js';
import { createPicture, unseenPhoto } from './picture.js';
import { CannotShrink, prepare } from './shrink.js';
import { language, t, whenLanguageChanges } from './texts.js';
import { createVerdict } from './verdict.js';
import { plain, size } from './words.js';

const WIDE = 2; // of a photo whose width is so many times its height, the answer stands below it

let settings;
let shown = null; // { file, photo, result, selected, back, stop }
let picture;
let verdict;

/** Prepares the view for the limits of a service. */
export function begin(limits) {
  settings = limits;
  whenLanguageChanges(() => {
    // What the service has said is in the other language: it is asked again.
    const spoken = shown?.result && (shown.result.problem || shown.result.faces.some((face) => face.hints?.length));
    if (shown) (spoken ? askAgain : render)();
  });
}

/**
 * Shows a photo and asks about it.
 *
 * @param {File} file it.
 * @param {{result?: object, back?: () => void}} options `result` where it has been asked about already; `back` leads to
 *   where it came from.
 */
export async function show(file, { result = null, back = null } = {}) {
  leave();
  const mine = { file, photo: null, result, selected: result?.best ?? -1, back, stop: new AbortController() };
  shown = mine;
  render();
  try {
    mine.photo = await prepare(file, settings);
  } catch (error) {
    if (!(error instanceof CannotShrink)) throw error;
    const [bytes, limit] = [size(file.size, language()), size(settings.max_bytes, language())];
    mine.result = readAnswer(413, { error: t('error.cannot_shrink', { bytes, limit }), code: 'too_large' });
  }
  if (shown !== mine) return;
  render();
  if (!mine.result) await askAgain();
}

/** Leaves the view: nothing more is asked. */
export function leave() {
  shown?.stop.abort();
  shown = null;
}

/** Goes on where a key was missing. */
export async function resume() {
  if (!shown?.result) await askAgain();
}

/** Asks once more about the photo that is shown. */
async function askAgain() {
  const mine = shown;
  if (!mine?.photo) return;
  mine.result = null;
  verdict.wait();
  if (lacksKey(settings.key_needed)) {
    verdict.hold();
    return;
  }
  try {
    const waiting = (seconds) => verdict.wait(t('error.busy', { count: seconds }));
    const result = await ask(mine.photo.blob, { signal: mine.stop.signal, waiting });
    if (isAboutKey(result)) {
      if (shown === mine) verdict.hold();
      return;
    }
    mine.result = result;
  } catch (error) {
    if (mine.stop.signal.aborted) return;
    throw error;
  }
  mine.selected = mine.result.best;
  if (shown === mine) render();
}

function choose(face) {
  shown.selected = face;
  showAnswer();
  find('.faces [aria-pressed="true"]')?.focus();
}

function render() {
  const { file, photo, back } = shown;
  const instead = () => (photo || shown.result ? unseenPhoto() : element('div', { class: 'loading' }));
  picture = createPicture(photo?.image ?? instead(), { choose });
  if (photo?.image) photo.image.alt = t('picture.alt', { name: file.name });
  verdict = createVerdict({ choose, again: askAgain });
  const figure = element('figure', {}, picture.node, element('figcaption', {}, ...caption(file, photo)));
  const left = element('div', { class: 'left' }, back && button(t('several.back'), 'back', back, 'quiet'), figure);
  find('#one').classList.toggle('wide', Boolean(photo?.height) && photo.width >= WIDE * photo.height);
  find('#one').replaceChildren(left, element('div', { class: 'right' }, verdict.node));
  if (shown.result) showAnswer();
  else verdict.wait();
}

function showAnswer() {
  const { photo, result, selected } = shown;
  if (photo?.width) picture.frame(result, selected, photo.width, photo.height);
  verdict.show(result, selected, photo ?? {});
}

function caption(file, photo) {
  const parts = [element('span', { class: 'file' }, file.name)];
  if (!photo) return [...parts, element('span', {}, size(file.size, language()))];
  const pixels = (value) => plain(value, language(), 0);
  if (photo.width) parts.push(element('span', {}, `${pixels(photo.width)} × ${pixels(photo.height)}`));
  parts.push(element('span', {}, size(photo.blob.size, language())));
  if (photo.shrunk) parts.push(element('span', { class: 'shrunk' }, t('picture.shrunk', { bytes: size(file.size, language()) })));
  return parts;
}
