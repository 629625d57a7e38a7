// The card that says what came of a photo: yes, no or no face; the score on its scale; what it means; what would help.

import { button, element, icon, say } from './dom.js';
import { thumbnail } from './picture.js';
import { createScale } from './scale.js';
import { language, t } from './texts.js';
import { plain, scoreText, stopped, strangersText } from './words.js';

const ICONS = { yes: 'yes', no: 'no', no_face: 'no-face', error: 'alert', asking: 'face', held: 'key' };

/**
 * A card that can show one answer after the other.
 *
 * @param {{choose?: (face: number) => void, again?: () => void}} actions `choose` shows another face, `again` asks once
 *   more where there was no answer.
 */
export function createVerdict({ choose, again } = {}) {
  const badge = element('span', { class: 'badge' });
  const word = element('h2');
  const sentence = element('p', { class: 'sentence' });
  const scale = createScale();
  const [means, hints, faces, more] = [element('ul', { class: 'means' }), element('div'), element('div'), element('div')];
  const head = element('div', { class: 'verdict-head' }, badge, element('div', {}, word, sentence));
  const node = element('article', { class: 'panel verdict' }, head, scale.node, means, hints, faces, more);

  function begin(state, title, text) {
    node.dataset.state = state;
    node.setAttribute('aria-busy', String(state === 'asking'));
    badge.replaceChildren(icon(ICONS[state]));
    word.textContent = title;
    sentence.textContent = text;
    for (const part of [means, hints, faces, more]) part.replaceChildren();
    scale.node.hidden = true;
  }

  /** While there is no answer yet. */
  const wait = (text = t('verdict.asking.text')) => begin('asking', t('verdict.asking'), text);

  /** While a key is missing. */
  const hold = () => begin('held', t('verdict.held'), t('key.first'));

  /** An answer; `selected` is the face to speak of. `photo` has the image and the width that was sent, if known. */
  function show(result, selected, photo) {
    if (!result.faces.length) {
      showProblem(result);
      return;
    }
    const face = result.faces[selected];
    begin(face.is_me ? 'yes' : 'no', t(face.is_me ? 'verdict.yes' : 'verdict.no'), sentenceOn(result, selected));
    scale.node.hidden = false;
    scale.show(face.score, result.said.threshold, face.is_me);
    means.append(...meaning(face, result.said));
    hints.append(...hintList(face.hints));
    if (photo && result.faces.length > 1) faces.append(...faceList(result, selected, photo, choose));
    if (photo) more.append(details(face, result.said));
    bringIntoView(faces.querySelector('[aria-pressed="true"]'));
    // A live score changes with each frame: only what follows from it is said.
    say([`${word.textContent}.`, sentence.textContent, photo && scale.node.getAttribute('aria-label')].filter(Boolean).join(' '));
  }

  function showProblem({ state, problem }) {
    const title = t(state === 'no_face' ? 'verdict.no_face' : 'verdict.error');
    // "No face was found" is the title already; the hint says what to do.
    const text = state === 'no_face' ? t('verdict.no_face.text') : stopped(problem.text) || t('error.unknown');
    begin(state, title, text);
    if (problem.detail) means.append(element('li', { class: 'detail' }, stopped(problem.detail)));
    hints.append(...hintList(problem.hints));
    if (again && state === 'error' && mayPass(problem.status)) more.append(button(t('verdict.again'), 'again', again));
    say(`${title}. ${text} ${problem.detail}`);
  }

  return { node, wait, hold, show };
}

/** Scrolls the list of faces, and nothing else, so that a face of it can be seen. */
function bringIntoView(face) {
  const list = face?.closest('ol');
  if (list) list.scrollTop = face.offsetTop - (list.clientHeight - face.offsetHeight) / 2;
}

/** Whether asking the same once more may help: nothing is wrong with the photo. */
const mayPass = (status) => status === 0 || status === 408 || status === 429 || status >= 500;

function sentenceOn(result, selected) {
  const { faces, best, state, found } = result;
  if (faces.length === 1) return t(state === 'yes' ? 'verdict.yes.text' : 'verdict.no.text');
  const values = { number: selected + 1, all: found };
  if (selected === best && state === 'no') return t('verdict.none_of', values);
  return t(faces[selected].is_me ? 'verdict.one_of' : 'verdict.not_this', values);
}

function meaning(face, said) {
  const items = [];
  const strangers = strangersText(face.strangers_like_this, language(), face.is_me);
  if (strangers) items.push(['people', t(strangers.key, strangers.values), 'estimated', face.is_me ? t('strangers.relatives') : '']);
  const threshold = plain(said.threshold, language(), 4);
  const basis = said.threshold_basis ?? 'default';
  items.push(['scale', t(`threshold.${basis}`, { threshold }), basis, said.threshold_note]);
  return items.map(([name, text, word, note]) => {
    const first = element('p', {}, text, ' ', chip(word));
    return element('li', {}, icon(name), element('div', {}, first, note && element('p', { class: 'note' }, stopped(note))));
  });
}

/** A word for how certain a figure is: promised, measured, estimated. */
export const chip = (basis) => element('span', { class: `chip ${basis}`, title: t(`basis.${basis}.title`) }, t(`basis.${basis}`));

function hintList(hints = []) {
  if (!hints.length) return [];
  const list = element('ul', {}, ...hints.map((hint) => element('li', {}, stopped(hint.text))));
  return [element('div', { class: 'hints' }, icon('hint'), element('div', {}, element('h3', {}, t('hints.title')), list))];
}

function faceList(result, selected, photo, choose) {
  const { faces, found, said } = result;
  const rows = faces.map((face, at) => {
    const picture = photo.image ? thumbnail(photo.image, face.box, photo.width) : icon('face');
    const bar = element('span', { class: 'bar' }, element('span', { class: 'bar-fill' }));
    bar.style.setProperty('--score', `${100 * face.score}%`);
    bar.style.setProperty('--threshold', `${100 * said.threshold}%`);
    const score = element('span', { class: 'number' }, scoreText(face.score, said.threshold, language()));
    const word = element('span', { class: 'word' }, t(face.is_me ? 'verdict.yes' : 'verdict.no'));
    const name = element('span', { class: 'name' }, t('faces.one', { number: at + 1 }));
    const attributes = { type: 'button', class: face.is_me ? 'yes' : 'no', 'aria-pressed': String(at === selected) };
    return element('li', {}, element('button', { ...attributes, onclick: () => choose?.(at) }, picture, name, bar, score, word));
  });
  const more = found > faces.length && element('p', { class: 'note' }, t('faces.more', { shown: faces.length, found }));
  return [element('div', { class: 'faces' }, element('h3', {}, t('faces.title', { count: found })), element('ol', {}, ...rows), more)];
}

function details(face, said) {
  const rows = [
    ['more.score', plain(face.score, language(), 6)],
    ['more.size', t('more.pixels', { pixels: Math.round(face.size) })],
    ['more.backbone', said.backbone],
    ['more.version', said.model_version],
    ['more.time', `${plain(said.timing_ms, language(), 0)}\u00a0ms`],
  ];
  const list = element('dl', {}, ...rows.flatMap(([key, value]) => [element('dt', {}, t(key)), element('dd', {}, value)]));
  return element('details', { class: 'more' }, element('summary', {}, t('more.title')), list);
}
