// The photos that wait, as cards: the face, what is said of it, whether it is taken.

import { picture } from './api.js';
import { element, find, icon } from './dom.js';
import { language, t, textOr } from './texts.js';
import { size, stopped } from './words.js';

const cards = new Map(); // by the photo's id: its node, its picture, and what it shows
const larger = new Map(); // by the photo's id: how many bytes it had before this browser made it smaller
let act;

/**
 * Prepares the grid.
 *
 * @param {{choose: (id: string, taken: boolean) => void, remove: (id: string) => void}} actions what its buttons do.
 */
export function begin(actions) {
  act = actions;
}

/** Notes that a photo was made smaller; its card says so. */
export function wasLarger(id, bytes) {
  larger.set(id, bytes);
}

/** Shows photos, and places for those that are on their way. */
export function show(photos, pending, locked) {
  const there = new Set(photos.map((photo) => photo.id));
  for (const [id, card] of cards) {
    if (there.has(id)) continue;
    if (card.address) URL.revokeObjectURL(card.address);
    card.node.remove();
    cards.delete(id);
  }
  const grid = find('#grid');
  for (const old of grid.querySelectorAll('.tile.pending')) old.remove();
  photos.forEach((photo, place) => {
    const card = cards.get(photo.id) ?? create(photo);
    update(card, photo, locked);
    if (grid.children[place] !== card.node) grid.insertBefore(card.node, grid.children[place] ?? null);
  });
  grid.append(...pending.map(onItsWay));
}

function create(photo) {
  const card = { node: element('li', { class: 'tile' }), address: '', shown: '' };
  cards.set(photo.id, card);
  if (photo.thumbnail) load(card, photo);
  return card;
}

async function load(card, photo) {
  try {
    card.address = await picture(`photos/${photo.id}/face`);
  } catch {
    return; // it has been removed meanwhile
  }
  const image = card.node.querySelector('img');
  if (image) image.src = card.address;
}

function update(card, photo, locked) {
  const shown = JSON.stringify([photo, locked, document.documentElement.lang]);
  if (shown === card.shown) return;
  card.shown = shown;
  const focused = card.node.contains(document.activeElement) ? document.activeElement.dataset.does : null;
  const state = photo.taken ? 'taken' : photo.usable ? 'left' : 'useless';
  card.node.dataset.state = state;
  const face = photo.thumbnail
    ? element('img', { src: card.address || false, alt: t('card.alt', { name: photo.name }), width: 160, height: 160 })
    : icon('no-face');
  const mark = element('span', { class: 'mark' }, icon(photo.taken ? 'yes' : photo.usable ? 'hint' : 'no'), t(`card.${state}`));
  card.node.replaceChildren(
    element('div', { class: 'face' }, face, mark, remover(photo, locked)),
    element('div', { class: 'about' }, element('p', { class: 'name', title: photo.name }, shortened(photo.name)), notes(photo), shrunk(photo)),
    photo.usable ? chooser(photo, locked) : '',
  );
  if (focused) card.node.querySelector(`[data-does="${focused}"]`)?.focus();
}

function notes(photo) {
  if (!photo.notes.length) return element('p', { class: 'good' }, t('card.good'));
  return element(
    'ul', { class: 'notes' },
    ...photo.notes.map(({ code, text }) => element('li', {}, element('strong', {}, textOr(`note.${code}`, code)), element('span', {}, sentence(text)))),
  );
}

function shrunk({ id }) {
  return larger.has(id) && element('p', { class: 'note' }, t('card.shrunk', { bytes: size(larger.get(id), language()) }));
}

/** A text as a sentence: those of errors begin in lower case, since they follow a name elsewhere. */
const sentence = (text) => stopped(text.charAt(0).toUpperCase() + text.slice(1));

function chooser({ id, name, taken }, locked) {
  const label = t(taken ? 'card.leave.label' : 'card.take.label', { name });
  const press = () => act.choose(id, !taken);
  const shown = element('button', { type: 'button', class: 'link', 'data-does': 'choose', disabled: locked, onclick: press, 'aria-label': label }, t(taken ? 'card.leave' : 'card.take'));
  return element('div', { class: 'tile-buttons' }, shown);
}

function remover({ id, name }, locked) {
  const label = t('card.remove.label', { name });
  const press = () => act.remove(id);
  return element('button', { type: 'button', class: 'remove', 'data-does': 'remove', disabled: locked, onclick: press, 'aria-label': label, title: t('card.remove') }, icon('no'));
}

function onItsWay({ name }) {
  return element(
    'li', { class: 'tile pending' },
    element('div', { class: 'face' }),
    element('div', { class: 'about' }, element('p', { class: 'name' }, name), element('p', { class: 'note' }, t('card.pending'))),
  );
}

/** A name of which the middle may be missing: photos of one camera differ at the end of theirs. */
function shortened(name) {
  const all = [...name];
  return all.length <= 24 ? name : `${all.slice(0, 10).join('')}…${all.slice(-12).join('')}`;
}
