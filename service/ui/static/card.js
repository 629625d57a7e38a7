// The model's card: what it is, what it learnt from, how often it is wrong. Nothing where the service has none.

import { headers } from './ask.js';
import { element, find, icon } from './dom.js';
import { key, keyMissing, refuses } from './key.js';
import { language, t, textOr, whenLanguageChanges } from './texts.js';
import { chip } from './verdict.js';
import { percent, plain } from './words.js';

let settings;
let card = null;
const plots = new Map(); // by name, the address of a picture in memory

/** Asks for the card of a service with these settings and shows it. */
export async function begin(found) {
  settings = found;
  whenLanguageChanges(() => card && render());
  find('#card').addEventListener('toggle', showPlots);
  await load();
}

/**
 * Asks again, for instance when a key has been given.
 *
 * @returns {Promise<boolean>} whether the key was refused; the form for it says so.
 */
export async function load() {
  if (!settings.has_card) return false;
  if (settings.key_needed && !key()) return false; // it would count as a try without a key
  const response = await fetch('model/card', { headers: headers() }).catch(() => null);
  const said = await response?.json().catch(() => null);
  card = response?.ok ? said : null;
  find('#card').hidden = !card;
  if (card) render();
  const refused = refuses(response?.status);
  if (refused) keyMissing(said);
  return refused;
}

function render() {
  const title = element('summary', {}, icon('model'), element('h2', {}, t('card.title')), element('span', {}, card.backbone), icon('up'));
  const parts = [facts(), figures(), notes(), gallery()].filter(Boolean);
  find('#card').replaceChildren(title, element('div', { class: 'card-body' }, ...parts));
}

function facts() {
  const { me, not_me: others, people } = card.photos;
  const rows = [
    ['card.trained', date(card.trained)],
    ['card.photos', people ? t('card.photos.people', { me, others, people }) : t('card.photos.text', { me, others })],
    ['card.backbone', card.backbone],
    ['card.verifier', textOr(`verifier.${card.verifier}`, card.verifier)],
  ];
  return element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', {}, t(name)), element('dd', {}, value)]));
}

function date(text) {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  return new Intl.DateTimeFormat(language(), { dateStyle: 'long', timeStyle: 'short' }).format(time);
}

function figures() {
  if (!card.figures?.length) return null;
  const names = ['figure', 'value', 'interval', 'at', 'basis'];
  const head = names.map((name) => element('th', { scope: 'col', class: name }, t(`card.${name}`)));
  const rows = card.figures.map((figure) => {
    const { name, value, interval, basis, threshold, people } = figure;
    const write = name === 'auc' ? (share) => plain(share, language(), 4, 3) : (share) => percent(share, language());
    const at = threshold == null ? '' : plain(threshold, language(), 4);
    const bounds = interval ? interval.map(write).join(' – ') : '';
    const on = () => people && element('span', { class: 'people' }, t('card.people', { count: people }));
    const known = () => basis && element('span', {}, chip(basis), ' ', on() || null);
    const said = basis === 'promised' ? t('card.below', { value: write(value) }) : write(value);
    return element(
      'tr', {},
      element('th', { scope: 'row' }, textOr(`figure.${name}`, name), narrow(at && t('card.with', { threshold: at }))),
      element('td', { class: 'value' }, said, narrow(bounds), narrow(known())),
      element('td', { class: 'interval' }, bounds || '–'),
      element('td', { class: 'at' }, at || t('card.all')),
      element('td', { class: 'basis' }, known() || '–'),
    );
  });
  const caption = element('caption', {}, t('card.figures'));
  return element('table', {}, caption, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows));
}

/** What has a column of its own on wide screens. */
const narrow = (text) => text && element('span', { class: 'note narrow' }, text);

function notes() {
  if (!card.notes?.length) return null;
  const items = card.notes.map((note) => element('li', {}, inLanguage(note.text)));
  return element('div', {}, element('h3', {}, t('card.notes')), element('ul', { class: 'notes' }, ...items));
}

function gallery() {
  if (!card.plots?.length) return null;
  const pictures = card.plots.map((plot) => {
    const image = element('img', { alt: inLanguage(plot.alt), src: plots.get(plot.name), 'data-plot': plot.name });
    return element('figure', {}, image, element('figcaption', {}, inLanguage(plot.title)));
  });
  return element('div', { class: 'plots' }, ...pictures);
}

const inLanguage = (text) => text?.[language()] ?? text?.es ?? '';

/** Loads the pictures when the card is opened: an address alone could not carry the key. */
async function showPlots() {
  if (!find('#card').open) return;
  for (const { name } of card?.plots ?? []) {
    if (plots.has(name)) continue;
    const response = await fetch(`model/plots/${encodeURIComponent(name)}.png`, { headers: headers() }).catch(() => null);
    const picture = await response?.blob();
    if (!response?.ok) continue;
    plots.set(name, URL.createObjectURL(picture));
    const image = find(`[data-plot="${CSS.escape(name)}"]`);
    if (image) image.src = plots.get(name);
  }
}
